"""A suite and a table → outcomes, by Great Expectations on pandas.

The only module that imports Great Expectations, which takes seconds: import it late. It works in
memory, sends nothing anywhere and draws no progress bars.
"""

from __future__ import annotations

import json
import math
import warnings
from typing import TYPE_CHECKING, Any

import great_expectations as gx
from great_expectations.data_context.types.base import ProgressBarsConfig
from great_expectations.exceptions.exceptions import ExpectationNotFoundError
from great_expectations.expectations import registry
from great_expectations.expectations.expectation_configuration import ExpectationConfiguration
from great_expectations.expectations.metadata_types import FailureSeverity

from pipelines.programs.validate.outcome import SAMPLES, Outcome
from pipelines.programs.validate.suites import nearest
from pipelines.runtime.errors import JobError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from pipelines.programs.validate.suites import Expectation, Suite
    from pipelines.programs.validate.tables import Source

_DOCS_SITE = "docs"
# Expectations that are about the columns themselves: they want to see all of them.
_NEED_NO_COLUMN = ("expect_table_row_count_to_be_between", "expect_table_row_count_to_equal")
_ABOUT_EXISTENCE = "expect_column_to_exist"


class Checker:
    """Great Expectations in one process, for several tables.

    Args:
        docs: the folder that Great Expectations' data docs are written into.
    """

    def __init__(self, docs: Path) -> None:
        self._context: Any = gx.get_context(mode="ephemeral")
        self._context.enable_analytics(enable=False)
        self._context.variables.progress_bars = ProgressBarsConfig(globally=False)
        for site in list(self._context.get_site_names()):
            self._context.delete_data_docs_site(site)  # its temporary folder goes with it
        self._context.add_data_docs_site(_DOCS_SITE, _site(docs))
        self._data: Any = self._context.data_sources.add_pandas("inputs")

    def prepare(self, table: str, suite: Suite) -> gx.ExpectationSuite:
        """Make Great Expectations' suite of ours.

        Raises:
            JobError: an unknown type of expectation, or arguments that it does not take.
        """
        built = [_build(expectation, suite) for expectation in suite.expectations]
        prepared = gx.ExpectationSuite(name=table, expectations=built)
        self._context.suites.add(prepared)
        return prepared

    def run(
        self, suite: Suite, prepared: gx.ExpectationSuite, source: Source, frame: pd.DataFrame
    ) -> list[Outcome]:
        """Evaluate a prepared suite on a table; one outcome per expectation, in order."""
        batch = self._data.add_dataframe_asset(source.name).add_batch_definition_whole_dataframe(
            "all"
        )
        definition = self._context.validation_definitions.add(
            gx.ValidationDefinition(name=source.name, data=batch, suite=prepared)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about its own deprecations, not about the data
            answer = definition.run(
                batch_parameters={"dataframe": frame},
                # BASIC: SUMMARY costs eight times as much for a count of each sample.
                result_format={"result_format": "BASIC", "partial_unexpected_count": SAMPLES},
            )
        results = {result.expectation_config.id: result for result in answer.results}
        members = [results[member.id] for member in prepared.expectations]  # in another order
        return [
            _outcome(expectation, member, source)
            for expectation, member in zip(suite.expectations, members, strict=True)
        ]

    def write_docs(self) -> None:
        """Write the data docs of everything that was run."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self._context.build_data_docs(site_names=[_DOCS_SITE])


def needed_columns(suite: Suite, source: Source) -> frozenset[str]:
    """Return the columns to be read for a suite.

    All of them where an expectation looks at the table's columns, at free SQL or at a row
    condition; else those that the expectations name.
    """
    if any(_sees_all(expectation) for expectation in suite.expectations):
        return frozenset(source.columns)
    return frozenset(name for expectation in suite.expectations for name in expectation.columns)


def _build(expectation: Expectation, suite: Suite) -> Any:
    where = f"Expectation {expectation.number} of `{suite.file}` (`{expectation.type}`)"
    configuration = ExpectationConfiguration(
        type=expectation.type,
        kwargs=dict(expectation.kwargs),
        meta=dict(expectation.meta),
        severity=FailureSeverity(expectation.severity.name.lower()),
    )
    try:
        return configuration.to_domain_obj()
    except ExpectationNotFoundError:
        known = registry.list_registered_expectation_implementations()
        hint = nearest(expectation.type, known)
        raise JobError(f"{where}: Great Expectations has no such expectation{hint}") from None
    except ValueError as error:
        taken = registry.get_expectation_impl(expectation.type).__fields__
        raise JobError(f"{where}: {_refusal(error, list(taken))}") from None


def _sees_all(expectation: Expectation) -> bool:
    if expectation.kwargs.get("row_condition") is not None:
        return True
    return not expectation.columns and expectation.type not in _NEED_NO_COLUMN


def _site(docs: Path) -> Any:
    return {
        "class_name": "SiteBuilder",
        "show_how_to_buttons": False,
        "store_backend": {
            "class_name": "TupleFilesystemStoreBackend",
            "base_directory": str(docs.resolve()),
        },
        "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
    }


def _outcome(expectation: Expectation, answer: Any, source: Source) -> Outcome:
    absent = [name for name in expectation.columns if name not in source.columns]
    if absent and expectation.type != _ABOUT_EXISTENCE:
        return Outcome(expectation, success=False, reason=source.missing(absent[0]))
    reason = _exception(answer.exception_info)
    if reason is not None:
        return Outcome(expectation, success=False, reason=f"could not be evaluated: {reason}")
    # to_json_dict makes NumPy values, timestamps and NaN into JSON
    result = json.loads(json.dumps(answer.to_json_dict()["result"], default=str))
    result = _finite(result)
    samples = [value for value in result.get("partial_unexpected_list") or [] if value is not None]
    return Outcome(
        expectation,
        success=bool(answer.success),
        observed=result.get("observed_value"),
        unexpected_count=result.get("unexpected_count"),
        unexpected_percent=result.get("unexpected_percent"),
        samples=tuple(samples[:SAMPLES]),
    )


def _exception(info: Any) -> str | None:
    """Return the first line of what an expectation raised inside Great Expectations."""
    entries = info.values() if info and "raised_exception" not in info else [info]
    for entry in entries:
        if entry and entry.get("raised_exception"):
            lines = str(entry.get("exception_message") or "").strip().splitlines()
            return lines[0] if lines else "Great Expectations gives no reason"
    return None


def _finite(value: Any) -> Any:
    """Replace NaN and infinities, which JSON does not know, by null."""
    if isinstance(value, dict):
        return {key: _finite(member) for key, member in value.items()}
    if isinstance(value, list):
        return [_finite(member) for member in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _refusal(error: ValueError, taken: list[str]) -> str:
    """Say what of an expectation's arguments was refused, without pydantic's wording."""
    details: list[Any] = getattr(error, "errors", list)()
    if not details:
        return str(error).splitlines()[0]
    first = details[0]
    name = str(first["loc"][0])
    match first["type"]:
        case "value_error.missing":
            return f"`{name}` is missing in `kwargs`."
        case "value_error.extra":
            return f"it takes no `{name}`{nearest(name, taken)}"
        case _ if name == "__root__":
            return f"{first['msg']}."
        case _:
            return f"the value of `{name}` does not fit: {first['msg']}."
