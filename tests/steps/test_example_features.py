from __future__ import annotations

import json
from datetime import date, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steps import features

if TYPE_CHECKING:
    from tests.steps.conftest import Workspace

KNOWN_ONLY_LATER = {"dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"}


def test_features_stay_the_same_when_everything_known_later_is_nonsense(
    flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> None:
    """No feature derives from departure, arrival or time in the air."""
    rng = np.random.default_rng(0)
    nonsense = flights.copy()
    for column in KNOWN_ONLY_LATER:
        nonsense[column] = rng.normal(1e6, 1e5, len(flights))
    pd.testing.assert_frame_equal(
        features.build_features(nonsense, weather, planes),
        features.build_features(flights, weather, planes),
    )


def test_features_are_built_without_the_columns_known_later(
    flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> None:
    """The columns need not even be there; only the target reads one of them."""
    assert not KNOWN_ONLY_LATER & set(features.KNOWN_BEFORE)
    assert features.OUTCOME == "arr_delay"
    built = features.build_features(flights.drop(columns=list(KNOWN_ONLY_LATER)), weather, planes)
    assert list(built) == ["date", *features.STRINGS, *features.NUMBERS]


def test_the_features_are_these() -> None:
    """A new feature has to be added here, by somebody who asks when it is known."""
    assert features.STRINGS == ("carrier", "origin", "dest", "month", "weekday", "manufacturer")
    assert features.NUMBERS == (
        "departure_minute", "arrival_minute", "departures_in_hour", "distance",
        "plane_age", "seats",
        "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure",
        "visib",
    )  # fmt: skip


def test_weather_is_that_of_two_hours_before_the_scheduled_hour(
    flights: pd.DataFrame, weather: pd.DataFrame
) -> None:
    """A reading of the hour before could be taken after a prediction made an hour ahead."""
    found = features.weather_features(flights, weather)["temp"]
    start = weather["time_hour"].min()
    hours = (flights["time_hour"] - start) / pd.Timedelta(hours=1)
    np.testing.assert_array_equal(found, hours - 2)


def test_missing_weather_is_taken_from_at_most_three_hours_earlier(weather: pd.DataFrame) -> None:
    """The reading stands in while it is fresh; afterwards the weather is unknown."""
    first = weather["time_hour"].min()
    readings = weather[weather["time_hour"] == first]
    flights = pd.DataFrame(
        {"origin": "JFK", "time_hour": [first + pd.Timedelta(hours=h) for h in (1, 2, 5, 6)]}
    )
    found = features.weather_features(flights, readings)["temp"]
    np.testing.assert_array_equal(found, [np.nan, 0.0, 0.0, np.nan])


def test_a_wind_no_storm_has_is_missing(flights: pd.DataFrame, weather: pd.DataFrame) -> None:
    """The data of 2013 hold one reading of 1,048 mph."""
    broken = weather.assign(wind_speed=1048.0)
    assert features.weather_features(flights, broken)["wind_speed"].isna().all()


def test_an_unknown_plane_has_no_maker_no_age_and_no_seats(
    flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> None:
    """A missing string is empty, a missing number NaN; no flight is lost in the join."""
    built = features.build_features(flights, weather, planes)
    unknown = built[~flights["tailnum"].isin(planes["tailnum"])]
    assert len(built) == len(flights)
    assert len(unknown) > 0
    assert set(unknown["manufacturer"]) == {""}
    assert unknown[["plane_age", "seats"]].isna().all(axis=None)


def test_planes_are_known_by_their_tail_number(flights: pd.DataFrame, planes: pd.DataFrame) -> None:
    """N1 was built in 2003; nobody knows when N2 was."""
    found = features.plane_features(flights, planes)
    first, second = (found[flights["tailnum"] == tail] for tail in ("N1", "N2"))
    assert set(first["plane_age"]) == {10.0}
    assert set(second["manufacturer"]) == {"AIRBUS"}
    assert second["plane_age"].isna().all()


def test_clock_times_become_minutes_of_the_day() -> None:
    """`1345` is 13:45, not 1,345 of anything."""
    assert features.minutes_of_day(pd.Series([5, 1345, 2359])).tolist() == [5.0, 825.0, 1439.0]


def test_departures_in_hour_counts_the_schedule_of_the_airport(flights: pd.DataFrame) -> None:
    """Cancelled flights were scheduled and count too."""
    found = features.schedule_features(flights)["departures_in_hour"]
    once = flights.assign(n=found).drop_duplicates(["origin", "time_hour"])
    assert once["n"].sum() == len(flights)


def test_late_is_more_than_fifteen_minutes_and_unknown_without_landing() -> None:
    """Fifteen minutes are still punctual; cancelled and diverted flights have no label."""
    found = features.label(pd.DataFrame({"arr_delay": [15.0, 16.0, -3.0, np.nan]}))
    assert found.fillna(-1).tolist() == [0, 1, 0, -1]


@given(days=st.sets(st.integers(0, 3000), min_size=1, max_size=60), seed=st.integers(0, 99))
def test_no_day_is_in_two_sets(days: set[int], seed: int) -> None:
    """Rows of one day share weather and crowding: split apart they would leak."""
    dates = [date(2013, 1, 1) + timedelta(days=day) for day in sorted(days)] * 3
    frame = pd.DataFrame({"date": dates, "day": [day.toordinal() for day in dates]})
    sets = features.split_days(frame, seed)
    found = [set(rows["day"]) for rows in sets.values()]
    assert sum(len(rows) for rows in sets.values()) == len(frame)
    assert sum(map(len, found)) == len(days)


@given(day=st.dates(), seed=st.integers())
def test_a_day_is_drawn_by_itself(day: date, seed: int) -> None:
    """New days move no old one: the draw is a function of day and seed."""
    assert features.split_of(day, seed) == features.split_of(day, seed)


def test_the_sets_have_their_shares_of_the_days() -> None:
    """70 %, 15 % and 15 % in the long run."""
    drawn = [features.split_of(date.fromordinal(700_000 + i), 13) for i in range(4000)]
    assert drawn.count("train") / 4000 == pytest.approx(0.70, abs=0.03)
    assert drawn.count("test") / 4000 == pytest.approx(0.15, abs=0.03)


def test_encoders_see_the_rows_of_train_alone(
    flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> None:
    """Nonsense in every other day leaves the encoders as they are."""
    frame = features.build_features(flights, weather, planes)
    other = frame["date"].map(lambda day: features.split_of(day, 13)) != "train"
    spoilt = frame.copy()
    spoilt.loc[other, list(features.NUMBERS)] = 1e9
    spoilt.loc[other, list(features.STRINGS)] = "nonsense"
    assert other.any()
    assert features.fit_encoders(features.split_days(spoilt, 13)["train"]) == (
        features.fit_encoders(features.split_days(frame, 13)["train"])
    )


def test_rare_and_missing_categories_are_not_encoded() -> None:
    """Twenty rows are needed to learn a category from."""
    values = pd.Series(["B"] * 20 + ["A"] * 30 + ["C"] * 19 + [""] * 40)
    assert features.fit_categories(values) == ["A", "B"]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, 2.0, 6.0, np.nan], {"median": 2.0, "mean": 3.0, "std": 14**0.5 / 3**0.5}),
        ([4.0, 4.0], {"median": 4.0, "mean": 4.0, "std": 1.0}),
        ([np.nan, np.nan], {"median": 0.0, "mean": 0.0, "std": 1.0}),
    ],
)
def test_a_number_is_measured_where_it_is_known(
    values: list[float], expected: dict[str, float]
) -> None:
    """Constant and empty columns get a std of 1: nothing is ever divided by zero."""
    assert features.fit_number(pd.Series(values)) == pytest.approx(expected)


def test_the_step_writes_each_landed_flight_into_one_set(
    workspace: Workspace, flights: pd.DataFrame
) -> None:
    """Train is dealt into the asked number of files, all columns raw."""
    root = workspace.root
    frames = {name: pd.read_parquet(root / name) for name in ("train", "validation", "test")}
    assert sum(map(len, frames.values())) == flights["arr_delay"].notna().sum()
    assert len(list((root / "train").iterdir())) == 3
    for frame in frames.values():
        assert list(frame) == [*features.STRINGS, *features.NUMBERS, "late"]
        assert set(frame["late"]) == {0, 1}
        assert frame["carrier"].isin(["UA", "DL", "B6"]).all()


def test_the_encoders_file_is_strict_json(workspace: Workspace) -> None:
    """Training in any language can read it: categories and finite numbers."""
    text = (workspace.root / "encoders" / "encoders.json").read_text()
    encoders = json.loads(text, parse_constant=pytest.fail)
    assert encoders["target"] == "late"
    assert encoders["strings"]["origin"] == ["EWR", "JFK", "LGA"]
    assert list(encoders["numbers"]) == list(features.NUMBERS)
