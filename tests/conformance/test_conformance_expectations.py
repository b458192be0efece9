"""The data gate gives Great Expectations' own verdicts, or the difference is listed here.

Its verdicts are recorded in `verdicts/`, since it takes a minute to give them: `make everything`
asks it again, and so does every run with another version. `pytest --update-golden` records them.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pipelines.programs.validate.suites import load_suite
from pipelines.programs.validate.tables import find_source, read_table
from tests.conformance.expectation_cases import cases, frame
from tests.everything import EVERYTHING

# Great Expectations and what it imports warn about their own dependencies.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.slow,
]

Verdict = tuple[bool, int | None] | str
NOT_EVALUATED = "not evaluated"
VERDICTS = Path(__file__).parent / "verdicts"

_COMPARED = "timestamps and dates are compared with dates that a suite has as text"
_FLOATS = "decimals of up to 15 digits are floats; pandas has objects, of which no mean is taken"
_OF_DECIMALS = (
    "expect_column_values_to_be_of_type",
    "expect_column_type_to_be",
    "expect_column_values_to_be_in_type_list",
    "expect_column_mean_to_be_between",
    "expect_column_stdev_to_be_between",
    "expect_column_sum_to_be_between",
    "expect_column_value_z_scores_to_be_less_than",
    "expect_column_values_to_not_be_outliers",
    "expect_column_pair_values_a_to_be_greater_than_b",
    "expect_multicolumn_sum_to_equal",
)
_OF_DATES = (
    "expect_column_values_to_be_in_set",
    "expect_column_min_to_be_between",
    "expect_column_max_to_be_between",
    "expect_column_values_to_be_between",
    "expect_column_pair_values_to_be_in_set",
)


def _csv(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    table.to_csv(folder / "a.csv", index=False)
    return pd.read_csv(folder / "a.csv")


def _parquet(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    table.assign(d=pd.to_datetime(table["d"])).to_parquet(folder / "a.parquet")
    return pd.read_parquet(folder / "a.parquet")


def _decimals(table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write decimals and dates without a time, as Spark and databases do."""
    numbers = table["f"].map(lambda value: Decimal(str(value)), na_action="ignore").astype(object)
    days = table["d"].map(dt.date.fromisoformat, na_action="ignore").astype(object)
    table.assign(f=numbers, d=days).to_parquet(folder / "a.parquet")
    return pd.read_parquet(folder / "a.parquet")


@pytest.mark.parametrize(
    ("write", "differing"),
    [
        pytest.param(_csv, {}, id="csv"),
        pytest.param(_parquet, {"d": _OF_DATES}, id="parquet", marks=pytest.mark.everything),
        pytest.param(_decimals, {"d": _OF_DATES, "f": _OF_DECIMALS}, id="decimals"),
    ],
)
def test_verdicts_and_counts_are_great_expectations_own(
    write: Callable[[pd.DataFrame, Path], pd.DataFrame],
    differing: dict[str, tuple[str, ...]],
    tmp_path: Path,
    request: pytest.FixtureRequest,
    *,
    update_golden: bool,
) -> None:
    """Every type on every sort of column; what differs is listed with its reason.

    The reasons: `_COMPARED` for dates, `_FLOATS` for decimals. Decimals are read from parquet, and
    the dates beside them differ as those without decimals, which `make everything` tries.
    """
    folder = tmp_path / "t"
    folder.mkdir()
    reference = write(frame(), folder)
    listed, unlisted = 0, []
    recorded = VERDICTS / f"{request.node.callspec.id}.json"
    if update_golden:
        recorded.write_text(_text(list(_theirs(reference))), "utf-8")
    theirs = _recorded(recorded)
    if EVERYTHING or theirs is None:
        theirs = list(_theirs(reference))
        assert recorded.read_text("utf-8") == _text(theirs), "record them: --update-golden"
    for case, expected, found in zip(cases(), theirs, _ours(folder, tmp_path), strict=True):
        if found == expected:
            continue
        kind, kwargs = case
        if any(kind in types and _names(kwargs, column) for column, types in differing.items()):
            listed += 1
        else:
            unlisted.append((case, expected, found))
    assert not unlisted
    assert bool(listed) is bool(differing)


def _text(verdicts: list[Verdict]) -> str:
    """Write verdicts, what gave them, and to which cases."""
    lines = ",\n".join(json.dumps(one) for one in verdicts)
    return f'{{"of": {json.dumps(_of())}, "verdicts": [\n{lines}\n]}}\n'


def _of() -> list[str]:
    cases_digest = hashlib.sha256(json.dumps(cases()).encode()).hexdigest()[:16]
    return [f"great_expectations {version('great_expectations')}", f"cases {cases_digest}"]


def _recorded(file: Path) -> list[Verdict] | None:
    """Read verdicts; None where they are those of another version, or of other cases."""
    found = json.loads(file.read_text("utf-8"))
    if found["of"] != _of():
        return None
    return [one if isinstance(one, str) else (one[0], one[1]) for one in found["verdicts"]]


def test_every_type_of_the_library_is_tried() -> None:
    """A type that a new version brings is missed here."""
    from great_expectations.expectations import registry  # noqa: PLC0415 - takes seconds

    known = set(registry.list_registered_expectation_implementations())
    assert known - {kind for kind, _ in cases()} == set()


def _names(kwargs: dict[str, Any], column: str) -> bool:
    named = [kwargs.get("column"), kwargs.get("column_A"), kwargs.get("column_B")]
    return column in (*named, *kwargs.get("column_list", ()))


def _ours(folder: Path, scratch: Path) -> Iterator[Verdict]:
    from pipelines.programs.validate.checks import Checker, needed_columns  # noqa: PLC0415 - seconds

    file = scratch / "suite.json"
    entries = [{"type": kind, "kwargs": kwargs} for kind, kwargs in cases()]
    file.write_text(json.dumps({"name": "t", "expectations": entries}))
    suite, source = load_suite(file), find_source("t", folder)
    table = read_table(source, needed_columns(suite, source))
    for outcome in Checker().run(suite, source, table).outcomes:
        if outcome.reason is None:
            yield outcome.success, outcome.unexpected_count
        else:
            yield NOT_EVALUATED


def _theirs(table: pd.DataFrame) -> Iterator[Verdict]:
    import great_expectations as gx  # noqa: PLC0415 - takes seconds
    from great_expectations.expectations.expectation_configuration import (  # noqa: PLC0415
        ExpectationConfiguration,
    )

    context: Any = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    asset = context.data_sources.add_pandas("p").add_dataframe_asset("t")
    batch = asset.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": table})
    for kind, kwargs in cases():
        expectation = ExpectationConfiguration(type=kind, kwargs=kwargs).to_domain_obj()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            answer = batch.validate(expectation, result_format="BASIC")
        raised = answer.exception_info or {}
        entries = [raised] if "raised_exception" in raised else list(raised.values())
        if any(entry and entry.get("raised_exception") for entry in entries):
            yield NOT_EVALUATED
        else:
            yield bool(answer.success), answer.result.get("unexpected_count")
