"""Small flights, weather and planes: everything the example's own code is tested on."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from steps import features

CARRIERS = ("UA", "DL", "B6")
ORIGINS = ("EWR", "JFK", "LGA")
DESTINATIONS = ("ATL", "ORD", "LAX")


def make_flights(days: int, per_day: int) -> pd.DataFrame:
    """Make flights in the raw table's columns; evenings and UA are late more often."""
    rng = np.random.default_rng(1)
    rows = days * per_day
    date = pd.Series(pd.date_range("2013-01-01", periods=days).repeat(per_day))
    hour = rng.integers(6, 23, rows)
    carrier = rng.choice(CARRIERS, rows)
    risk = 0.08 + 0.4 * (hour > 16) + 0.2 * (carrier == "UA")
    late = rng.random(rows) < risk
    never_landed = rng.random(rows) < 0.03
    delay = np.where(late, 45.0, -5.0)
    delay[never_landed] = np.nan
    local = pd.to_datetime(date) + pd.to_timedelta(hour, unit="h")
    return pd.DataFrame(
        {
            "year": date.dt.year,
            "month": date.dt.month,
            "day": date.dt.day,
            "dep_time": hour * 100.0 + 12,
            "sched_dep_time": hour * 100 + 10,
            "dep_delay": 2.0,
            "arr_time": (hour + 2) * 100.0,
            "sched_arr_time": (hour + 1) % 24 * 100 + 45,
            "arr_delay": delay,
            "carrier": carrier,
            "flight": np.arange(rows) + 1,
            "tailnum": pd.Series(rng.choice(["N1", "N2", "N3", ""], rows)).replace("", None),
            "origin": rng.choice(ORIGINS, rows),
            "dest": rng.choice(DESTINATIONS, rows),
            "air_time": 90.0,
            "distance": rng.integers(200, 2500, rows),
            "hour": hour,
            "minute": 10,
            "time_hour": (local + pd.Timedelta(hours=5)).dt.tz_localize("UTC"),
        }
    )


def make_weather(days: int) -> pd.DataFrame:
    """Make a reading per airport and hour; `temp` counts the hours since the first one."""
    hours = pd.date_range("2013-01-01", periods=(days + 2) * 24, freq="h", tz="UTC")
    frames = [
        pd.DataFrame(
            {
                "origin": origin,
                "time_hour": hours,
                "temp": np.arange(len(hours), dtype="float64"),
                "dewp": 30.0,
                "humid": 60.0,
                "wind_dir": 180.0,
                "wind_speed": 10.0,
                "wind_gust": np.nan,
                "precip": 0.0,
                "pressure": 1010.0,
                "visib": 10.0,
            }
        )
        for origin in ORIGINS
    ]
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="session")
def flights() -> pd.DataFrame:
    """1,600 flights on 40 days."""
    return make_flights(days=40, per_day=40)


@pytest.fixture(scope="session")
def weather() -> pd.DataFrame:
    """Hourly readings of those days."""
    return make_weather(days=40)


@pytest.fixture(scope="session")
def planes() -> pd.DataFrame:
    """Two planes; flights also use N3, which is in no registry."""
    return pd.DataFrame(
        {
            "tailnum": ["N1", "N2"],
            "year": [2003.0, np.nan],
            "manufacturer": ["BOEING", "AIRBUS INDUSTRIE"],
            "seats": [150, 180],
        }
    )


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folders of the example's steps, as the job runtime would name them."""

    root: Path

    def variables(self) -> dict[str, str]:
        """Give the SM_* variables of all steps; the folders they name exist."""
        named = {
            "SM_CHANNEL_FLIGHTS": "flights",
            "SM_CHANNEL_WEATHER": "weather",
            "SM_CHANNEL_PLANES": "planes",
            "SM_MODEL_DIR": "model",
            "SM_OUT_REPORT": "report",
            "SM_OUT_PICTURES": "pictures",
        }
        for name in ("train", "validation", "test", "encoders"):
            named[f"SM_OUT_{name.upper()}"] = name
            named[f"SM_CHANNEL_{name.upper()}"] = name
        for folder in named.values():
            (self.root / folder).mkdir(exist_ok=True)
        return {name: str(self.root / folder) for name, folder in named.items()}


@pytest.fixture(scope="session")
def prepared(
    tmp_path_factory: pytest.TempPathFactory,
    flights: pd.DataFrame,
    weather: pd.DataFrame,
    planes: pd.DataFrame,
) -> Workspace:
    """A workspace in which features.py has run, its train in 3 files."""
    workspace = Workspace(tmp_path_factory.mktemp("example"))
    variables = workspace.variables()
    flights.to_parquet(workspace.root / "flights" / "a.parquet")
    weather.to_csv(workspace.root / "weather" / "weather.csv", index=False)
    planes.to_csv(workspace.root / "planes" / "planes.csv", index=False)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        features.main(["--train_parts", "3"])
    return workspace


@pytest.fixture
def workspace(tmp_path: Path, prepared: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    """A workspace of one test, with the prepared channels, its variables set."""
    for name in ("train", "validation", "test", "encoders"):
        shutil.copytree(prepared.root / name, tmp_path / name)
    own = Workspace(tmp_path)
    for name, value in own.variables().items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    return own
