from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import pandas as pd

pytestmark = [
    pytest.mark.slow,
    # Great Expectations' own imports and posthog's client warn on their own account.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

SUITES = Path(__file__).resolve().parents[2] / "steps" / "suites"


def failed(table: str, frame: pd.DataFrame) -> set[tuple[str, str, str]]:
    """Check a frame with a table's suite; give type, column and severity of what fails."""
    import great_expectations as gx  # noqa: PLC0415 - takes seconds, and only these tests need it

    context = gx.get_context(mode="ephemeral")
    described = json.loads((SUITES / f"{table}.json").read_text())
    suite = gx.ExpectationSuite(name=table, expectations=described["expectations"])
    asset = context.data_sources.add_pandas(table).add_dataframe_asset(table)
    whole = asset.add_batch_definition_whole_dataframe("whole")
    result = whole.get_batch({"dataframe": frame}).validate(suite)
    return {describe(found.expectation_config) for found in result.results if not found.success}


def describe(expectation: Any) -> tuple[str, str, str]:
    """Give an expectation's type, column and severity."""
    column = expectation.kwargs.get("column", "")
    return expectation.type, column, expectation.severity.value


def test_the_small_flights_meet_their_suite(flights: pd.DataFrame) -> None:
    """Cancelled flights and missing tail numbers are gaps that real data have."""
    named = flights.assign(tailnum="N1")
    assert failed("flights", named) == set()


def test_a_null_origin_and_a_thirteenth_month_break_the_flights_suite(
    flights: pd.DataFrame,
) -> None:
    """One bad row each among 1,600 is enough, and both are critical."""
    bad = flights.assign(tailnum="N1")
    bad.loc[3, "origin"] = None
    bad.loc[4, "month"] = 13
    assert failed("flights", bad) == {
        ("expect_column_values_to_not_be_null", "origin", "critical"),
        ("expect_column_values_to_be_between", "month", "critical"),
    }


def test_many_cancelled_flights_are_a_warning(flights: pd.DataFrame) -> None:
    """A snow storm is not an error in the data."""
    stormy = flights.assign(tailnum="N1")
    stormy.loc[:200, ["dep_time", "arr_delay"]] = None
    assert failed("flights", stormy) == {
        ("expect_column_values_to_not_be_null", "dep_time", "warning"),
        ("expect_column_values_to_not_be_null", "arr_delay", "warning"),
    }


def test_an_unknown_airport_breaks_the_weather_suite(weather: pd.DataFrame) -> None:
    """Readings of other airports could never be joined."""
    local = weather.assign(year=2013, month=1, day=1, hour=weather["time_hour"].dt.hour, temp=50.0)
    assert failed("weather", local) == set()
    local.loc[3, "origin"] = "PHL"
    assert failed("weather", local) == {("expect_column_values_to_be_in_set", "origin", "critical")}


def test_a_plane_listed_twice_breaks_the_planes_suite(planes: pd.DataFrame) -> None:
    """The join would double its flights."""
    first = planes.assign(year=2003.0, engines=2)
    many = first.loc[[0] * 200].assign(tailnum=[f"N{i}" for i in range(200)])
    assert failed("planes", many) == set()
    many["tailnum"] = ["N7", *many["tailnum"][1:]]
    assert failed("planes", many) == {("expect_column_values_to_be_unique", "tailnum", "critical")}
