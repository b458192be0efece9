"""A suite and a table → outcomes, by Great Expectations on pandas.

This module and `docs` import Great Expectations, which takes seconds: import them late. It works
in memory, sends nothing anywhere and draws no progress bars.
"""

from __future__ import annotations

import math
import uuid
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import great_expectations as gx
import pandas as pd
from great_expectations.core import ExpectationSuiteValidationResult
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity

from pipelines.programs.validate.comparisons import comparable, kind_of
from pipelines.programs.validate.outcome import SAMPLES, ExpectationOutcome
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pipelines.programs.validate.suites import Expectation, Suite
    from pipelines.programs.validate.tables import Source

# Expectations about the table whose answer does not depend on which columns were read.
_NEED_NO_COLUMN = ("expect_table_row_count_to_be_between", "expect_table_row_count_to_equal")
# Expectations about the columns themselves: they want to see all of them, and miss none.
_ABOUT_COLUMNS = (
    "expect_column_to_exist",
    "expect_table_column_count_to_be_between",
    "expect_table_column_count_to_equal",
    "expect_table_columns_to_match_ordered_list",
    "expect_table_columns_to_match_set",
)


@dataclass(frozen=True)
class Evaluated:
    """A suite that was evaluated: our outcomes, and Great Expectations' own answer for its docs."""

    outcomes: tuple[ExpectationOutcome, ...]
    answer: ExpectationSuiteValidationResult


class Checker:
    """Great Expectations in one process, for several tables."""

    def __init__(self) -> None:
        self._context: Any = gx.get_context(mode="ephemeral")
        self._context.enable_analytics(enable=False)
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        for site in list(self._context.get_site_names()):
            self._context.delete_data_docs_site(site)  # its temporary folder goes with it
        self._data: Any = self._context.data_sources.add_pandas("inputs")

    def run(self, suite: Suite, source: Source, frame: pd.DataFrame) -> Evaluated:
        """Evaluate a suite on a table; one outcome per expectation, in order.

        What goes wrong within one expectation is that expectation's outcome.
        """
        asset = self._data.add_dataframe_asset(source.name)
        definition = asset.add_batch_definition_whole_dataframe("all")
        batch = definition.get_batch({"dataframe": frame})
        built = [build(each, suite, comparable(each, frame)) for each in suite.expectations]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its own deprecations, not about the data
            answers = _answers(batch, built)
        pairs = list(zip(suite.expectations, answers, strict=True))
        outcomes = tuple(_outcome(each, answer, source, frame) for each, answer in pairs)
        answer = ExpectationSuiteValidationResult(
            success=all(outcome.success for outcome in outcomes),
            results=[given for given in answers if not isinstance(given, Exception)],
            suite_name=source.name,
            statistics=_statistics(outcomes),
        )
        return Evaluated(outcomes, answer)


def needed_columns(suite: Suite, source: Source) -> frozenset[str]:
    """Return the columns to be read for a suite.

    All of them where an expectation looks at the table's columns, at free SQL or at a row
    condition; else those that the expectations name.
    """
    if any(_sees_all(expectation) for expectation in suite.expectations):
        return frozenset(source.columns)
    return frozenset(name for expectation in suite.expectations for name in expectation.columns)


def check_suite(suite: Suite) -> None:
    """Let Great Expectations read every expectation, before any data is read.

    Raises:
        JobError: an unknown type of expectation, or arguments that it does not take.
    """
    for expectation in suite.expectations:
        build(expectation, suite, expectation.kwargs)


def _answers(batch: Any, built: list[Any]) -> list[Any]:
    """Evaluate all together; one by one where that raises, to find the one that does."""
    try:
        answer = batch.validate(
            gx.ExpectationSuite(name="suite", expectations=built), result_format=_FORMAT
        )
        by_id = {result.expectation_config.id: result for result in answer.results}
        found = [by_id[member.id] for member in built]  # it answers in another order
    except Exception:  # noqa: BLE001 - whatever Great Expectations lets through
        found = [_answer(batch, member) for member in built]
    for each in found:
        if not isinstance(each, Exception):
            each.result = plain(each.result)
    return found


def _answer(batch: Any, member: Any) -> Any:
    try:
        return batch.validate(member, result_format=_FORMAT)
    except Exception as error:  # noqa: BLE001 - it becomes the outcome of this expectation
        return error


# BASIC: SUMMARY costs eight times as much for a count of each sample.
_FORMAT = {"result_format": "BASIC", "partial_unexpected_count": SAMPLES}


def _statistics(outcomes: tuple[ExpectationOutcome, ...]) -> dict[str, Any]:
    met = sum(outcome.success for outcome in outcomes)
    return {
        "evaluated_expectations": len(outcomes),
        "successful_expectations": met,
        "unsuccessful_expectations": len(outcomes) - met,
        "success_percent": 100 * met / max(1, len(outcomes)),
    }


def build(expectation: Expectation, suite: Suite, kwargs: Mapping[str, Any]) -> Any:
    """Return Great Expectations' own object for an expectation; raise JobError for none."""
    where = f"Expectation {expectation.number} of `{suite.file}` (`{expectation.type}`)"
    configuration = ExpectationConfiguration(
        type=expectation.type,
        kwargs=dict(kwargs),
        id=str(uuid.uuid4()),
        meta=dict(expectation.meta),
        severity=FailureSeverity(expectation.severity.name.lower()),
    )
    try:
        return configuration.to_domain_obj()
    except ValueError as error:
        raise JobError(f"{where}: {_refusal(error)}") from None


def _sees_all(expectation: Expectation) -> bool:
    if expectation.kwargs.get("row_condition") is not None or expectation.type in _ABOUT_COLUMNS:
        return True
    return not expectation.columns and expectation.type not in _NEED_NO_COLUMN


def _outcome(
    expectation: Expectation, answer: Any, source: Source, frame: pd.DataFrame
) -> ExpectationOutcome:
    absent = [name for name in expectation.columns if name not in source.columns]
    if absent and expectation.type not in _ABOUT_COLUMNS:
        return ExpectationOutcome(expectation, success=False, reason=source.missing(absent[0]))
    reason = _raised(answer)
    if reason is not None:
        kinds = [
            f"`{name}` holds {kind_of(frame[name])}"
            for name in expectation.columns
            if name in frame
        ]
        holds = f" ({', '.join(kinds)})" if kinds else ""
        return ExpectationOutcome(
            expectation, success=False, reason=f"could not be evaluated: {reason}{holds}"
        )
    result = answer.result
    samples = [value for value in result.get("partial_unexpected_list") or [] if value is not None]
    return ExpectationOutcome(
        expectation,
        success=bool(answer.success),
        observed=result.get("observed_value"),
        unexpected_count=result.get("unexpected_count"),
        unexpected_percent=result.get("unexpected_percent"),
        samples=tuple(samples[:SAMPLES]),
    )


def plain(value: Any) -> Any:
    """Return a value as JSON knows it: NumPy's scalars as numbers, dates as text, no NaN."""
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(member) for member in value]
    if hasattr(value, "tolist"):  # NumPy's scalars and arrays
        return plain(value.tolist())
    if value is pd.NaT or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _raised(answer: Any) -> str | None:
    """Return the first line of what was raised while an expectation was evaluated."""
    if isinstance(answer, Exception):
        return str(answer).strip().partition("\n")[0] or type(answer).__name__
    return _exception(answer.exception_info)


def _exception(info: Any) -> str | None:
    """Return the first line of what an expectation raised inside Great Expectations."""
    entries = info.values() if info and "raised_exception" not in info else [info]
    for entry in entries:
        if entry and entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "").strip().splitlines()
            return lines[0] if lines else "Great Expectations gives no reason"
    return None


def _refusal(error: ValueError) -> str:
    """Return what of an expectation's arguments was refused, without pydantic's wording."""
    details: list[Any] = getattr(error, "errors", list)()
    if not details:
        return str(error).splitlines()[0]
    first = details[0]
    name = str(first["loc"][0])
    if name == "__root__":
        return f"{first['msg']}."
    return f"the value of `{name}` does not fit: {first['msg']}."
