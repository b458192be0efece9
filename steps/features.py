"""Flights, weather and planes → what is known about a flight before it leaves, and if it was late.

Target: `late` is 1 when the flight landed more than 15 minutes behind schedule. Cancelled and
diverted flights (2.8 %) never landed where they should, so they have no delay to predict: they
are left out, and the model answers "if it flies, will it be late?".

What counts as known: the schedule, the plane assigned to it, and weather. A prediction is made one
hour before the scheduled hour. A reading carries only its clock hour, it may be taken at any
minute of that hour, so the newest one that is surely known is that of two hours before; where it
is missing, up to three hours older ones stand in. Nothing is read of departure, arrival or time in
the air but `arr_delay`, which becomes the target and nothing else.

Inputs `flights` (Parquet), `weather`, `planes` (CSV). Outputs `train` (several files, so that
ranks can read a part each), `validation`, `test` (Parquet with raw columns: the model itself
encodes them) and `encoders` (`encoders.json`, fitted on train alone).
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

STRINGS = ("carrier", "origin", "dest", "month", "weekday", "manufacturer")
WEATHER = (
    "temp",
    "dewp",
    "humid",
    "wind_dir",
    "wind_speed",
    "wind_gust",
    "precip",
    "pressure",
    "visib",
)
NUMBERS = (
    "departure_minute",
    "arrival_minute",
    "departures_in_hour",
    "distance",
    "plane_age",
    "seats",
    *WEATHER,
)
TARGET = "late"
LATE_AFTER_MINUTES = 15

KNOWN_BEFORE = (
    "year",
    "month",
    "day",
    "sched_dep_time",
    "sched_arr_time",
    "carrier",
    "tailnum",
    "origin",
    "dest",
    "distance",
    "time_hour",
)
OUTCOME = "arr_delay"

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
WEATHER_LAG = pd.Timedelta(hours=2)
WEATHER_MAX_AGE = pd.Timedelta(hours=3)
FASTEST_WIND_MPH = 200.0
MIN_CATEGORY_ROWS = 20
TRAIN_SHARE = 0.70
VALIDATION_SHARE = 0.15


class NumberEncoder(TypedDict):
    """Statistics of one number over the rows of train that have it."""

    median: float
    mean: float
    std: float


class Encoders(TypedDict):
    """What `encoders.json` holds: known categories in order (code 0 stands for all others)."""

    target: str
    strings: dict[str, list[str]]
    numbers: dict[str, NumberEncoder]


def minutes_of_day(clock: pd.Series[int]) -> pd.Series[float]:
    """Turn `1345` (13:45) into minutes after midnight."""
    return (clock // 100 * 60 + clock % 100).astype("float64")


def schedule_features(flights: pd.DataFrame) -> pd.DataFrame:
    """Derive what the schedule alone tells, one row per row of `flights`."""
    days = pd.to_datetime(flights[["year", "month", "day"]])
    busy = flights.groupby(["origin", "time_hour"])["carrier"].transform("size")
    return pd.DataFrame(
        {
            "date": days.dt.date,
            "carrier": flights["carrier"],
            "origin": flights["origin"],
            "dest": flights["dest"],
            "month": days.dt.month.map(dict(enumerate(MONTHS, start=1))),
            "weekday": days.dt.day_of_week.map(dict(enumerate(WEEKDAYS))),
            "departure_minute": minutes_of_day(flights["sched_dep_time"]),
            "arrival_minute": minutes_of_day(flights["sched_arr_time"]),
            "departures_in_hour": busy.astype("float64"),
            "distance": flights["distance"].astype("float64"),
        }
    )


def plane_features(flights: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """Look up each flight's plane by tail number: its maker, age in years and seats."""
    known = planes.set_index("tailnum")[["manufacturer", "year", "seats"]]
    found = known.reindex(flights["tailnum"]).set_axis(flights.index)
    return pd.DataFrame(
        {
            "manufacturer": found["manufacturer"].str.split().str[0],
            "plane_age": flights["year"] - found["year"],
            "seats": found["seats"].astype("float64"),
        }
    )


def weather_features(flights: pd.DataFrame, weather: pd.DataFrame) -> pd.DataFrame:
    """Give each flight the newest reading of its airport that is surely known by then."""
    readings = weather[["origin", "time_hour", *WEATHER]].sort_values("time_hour")
    broken = readings["wind_speed"] > FASTEST_WIND_MPH
    readings["wind_speed"] = readings["wind_speed"].mask(broken)
    wanted = pd.DataFrame(
        {
            "origin": flights["origin"],
            "time_hour": flights["time_hour"] - WEATHER_LAG,
            "row": np.arange(len(flights)),
        }
    ).sort_values("time_hour")
    joined = pd.merge_asof(
        wanted, readings, on="time_hour", by="origin", tolerance=WEATHER_MAX_AGE
    ).sort_values("row")
    return joined[list(WEATHER)].astype("float64").set_axis(flights.index)


def build_features(
    flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame
) -> pd.DataFrame:
    """Join the three tables into `date`, the features and nothing that is known only later.

    Only the columns KNOWN_BEFORE of `flights` are used. A missing string is "", a missing number
    NaN. Rows and their order are those of `flights`.
    """
    known = flights[list(KNOWN_BEFORE)]
    frame = pd.concat(
        [
            schedule_features(known),
            plane_features(known, planes),
            weather_features(known, weather),
        ],
        axis="columns",
    )
    frame[list(STRINGS)] = frame[list(STRINGS)].fillna("").astype("str")
    return frame[["date", *STRINGS, *NUMBERS]]


def label(flights: pd.DataFrame) -> pd.Series[int]:
    """Give 1 to flights more than 15 minutes late, else 0; NA to those that never landed."""
    delay = flights[OUTCOME]
    return (delay > LATE_AFTER_MINUTES).astype("Int8").mask(delay.isna())


def split_of(day: date, seed: int) -> str:
    """Draw the set a day belongs to: 70 % train, 15 % validation, 15 % test.

    The draw depends on nothing but day and seed: days added later move no other day.
    """
    digest = hashlib.sha256(f"{seed}:{day.isoformat()}".encode()).digest()
    draw = int.from_bytes(digest[:8], "big") / 2**64
    if draw < TRAIN_SHARE:
        return "train"
    return "validation" if draw < TRAIN_SHARE + VALIDATION_SHARE else "test"


def split_days(frame: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Part the rows by whole days, so that no day is in two sets, and drop `date`."""
    sets = {day: split_of(day, seed) for day in frame["date"].unique()}
    belongs = frame["date"].map(sets)
    rows = frame.drop(columns="date")
    return {
        name: rows[belongs == name].reset_index(drop=True)
        for name in ("train", "validation", "test")
    }


def fit_number(values: pd.Series[float]) -> NumberEncoder:
    """Measure one number; a column that is empty or constant gets a std of 1."""
    if values.notna().sum() == 0:
        return {"median": 0.0, "mean": 0.0, "std": 1.0}
    std = float(values.std(ddof=0))
    return {"median": float(values.median()), "mean": float(values.mean()), "std": std or 1.0}


def fit_categories(values: pd.Series[str]) -> list[str]:
    """List the categories with enough rows to learn from, in alphabetical order."""
    counts = values[values != ""].value_counts()
    return sorted(counts[counts >= MIN_CATEGORY_ROWS].index)


def fit_encoders(train: pd.DataFrame) -> Encoders:
    """Fit what the model needs to encode raw features; give it the rows of train alone."""
    return {
        "target": TARGET,
        "strings": {name: fit_categories(train[name]) for name in STRINGS},
        "numbers": {name: fit_number(train[name]) for name in NUMBERS},
    }


def write_parts(frame: pd.DataFrame, folder: Path, parts: int) -> None:
    """Deal the rows out to `parts` files in turn: each holds the same mix of days."""
    for part in range(parts):
        frame.iloc[part::parts].to_parquet(folder / f"part-{part:03}.parquet", index=False)


def main(argv: Sequence[str] | None = None) -> None:
    """Run the step: folders come from SM_CHANNEL_* and SM_OUT_*."""
    parser = argparse.ArgumentParser(description="Make features of flights, weather and planes.")
    parser.add_argument("--split_seed", type=int, default=13, help="draws the sets of days")
    parser.add_argument("--train_parts", type=int, default=8, help="files of train")
    args = parser.parse_args(argv)

    flights = pd.read_parquet(
        os.environ["SM_CHANNEL_FLIGHTS"], columns=[*KNOWN_BEFORE, OUTCOME]
    ).sort_values(["time_hour", "carrier", "origin", "dest"], ignore_index=True)
    weather = read_csv_folder(Path(os.environ["SM_CHANNEL_WEATHER"])).astype(
        {"time_hour": flights["time_hour"].dtype}
    )
    planes = read_csv_folder(Path(os.environ["SM_CHANNEL_PLANES"]))

    frame = build_features(flights, weather, planes).assign(**{TARGET: label(flights)})
    sets = split_days(frame[frame[TARGET].notna()].astype({TARGET: "int8"}), args.split_seed)
    for name, rows in sets.items():
        print(f"{name} rows={len(rows)} late={rows[TARGET].mean():.4f}")
        folder = Path(os.environ[f"SM_OUT_{name.upper()}"])
        write_parts(rows, folder, args.train_parts if name == "train" else 1)
    encoders = Path(os.environ["SM_OUT_ENCODERS"]) / "encoders.json"
    encoders.write_text(json.dumps(fit_encoders(sets["train"]), indent=1, allow_nan=False))


def read_csv_folder(folder: Path) -> pd.DataFrame:
    """Read all CSV files of a folder as one table."""
    return pd.concat([pd.read_csv(path) for path in sorted(folder.glob("*.csv"))])


if __name__ == "__main__":
    main()
