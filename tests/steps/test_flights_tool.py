from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tools import flights

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data, made once."""
    root = tmp_path_factory.mktemp("data")
    flights.main([str(root / "data")])
    return root / "data"


def stamps(folder: Path) -> dict[str, int]:
    """Tell when each file was written, in nanoseconds."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.stat().st_mtime_ns for path in files}


def test_the_tables_have_all_rows_and_their_real_gaps(folder: Path) -> None:
    """336,776 flights in twelve files, 8,255 of which never left."""
    assert len(list((folder / "flights").iterdir())) == 12
    table = pd.read_parquet(folder / "flights")
    assert len(table) == 336_776
    assert table["dep_time"].isna().sum() == 8_255
    assert str(table["time_hour"].dt.tz) == "UTC"
    assert len(pd.read_csv(folder / "weather" / "weather.csv")) == 26_115
    assert len(pd.read_csv(folder / "planes" / "planes.csv")) == 3_322


def test_making_complete_data_again_touches_no_file(folder: Path) -> None:
    """A second run costs nothing."""
    before = stamps(folder)
    flights.main([str(folder)])
    assert stamps(folder) == before


def test_only_an_incomplete_table_is_made_anew(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A lost file is put back, its neighbours' tables stay, and no scratch folder is left."""
    (folder / "weather" / "weather.csv").unlink()
    flights.main([str(folder)])
    assert capsys.readouterr().out.count("written") == 1
    assert (folder / "weather" / "weather.csv").is_file()
    assert sorted(path.name for path in folder.iterdir()) == ["flights", "planes", "weather"]


def test_a_failed_run_leaves_no_half_table(tmp_path: Path) -> None:
    """What lay there before stays until the new table is whole."""

    def fail(folder: Path) -> None:
        (folder / "half.csv").write_text("x")
        raise OSError

    (tmp_path / "weather").mkdir()
    (tmp_path / "weather" / "old.csv").write_text("old")
    with pytest.raises(OSError):  # noqa: PT011 - the one raised above
        flights.make_table(tmp_path / "weather", fail)
    assert [path.name for path in tmp_path.rglob("*")] == ["weather", "old.csv"]


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says what to install."""
    monkeypatch.setattr(flights, "PACKAGE", "no-such-package")
    with pytest.raises(SystemExit, match="pip install no-such-package"):
        flights.source_file("weather.csv")
