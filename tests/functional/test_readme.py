"""The README and the tour show what really happens."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from tests.everything import EVERYTHING
from tools.generate_readme import README, ROOT, TOUR, exchanges, normalised, perform, project


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(not (ROOT / "data" / "flights").is_dir(), reason="no data: make data")
def test_every_command_of_the_readme_prints_what_stands_below_it(tmp_path: Path) -> None:
    """A reader who types the commands in order sees the same, but for ids, times and figures.

    Every push tries it with every fourth flight.
    """
    folder = project(tmp_path / "flight-delays")
    if not EVERYTHING:
        for file in (folder / "data" / "flights").iterdir():
            pd.read_parquet(file).iloc[::4].to_parquet(file, index=False)
    shown = [one for page in (README, TOUR) for one in exchanges(page.read_text(encoding="utf-8"))]
    assert len(shown) >= 15
    for exchange in shown:
        printed = perform(exchange.command, folder)
        assert normalised(printed) == normalised(exchange.output), exchange.command


def test_the_drawing_of_the_tour_is_that_of_the_example() -> None:
    """Its Mermaid block is what `graph --format mermaid` prints."""
    words = (sys.executable, "-m", "pipelines", "graph", "--format", "mermaid")
    drawn = subprocess.run(words, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True).stdout
    assert f"```mermaid\n{drawn}```\n" in TOUR.read_text(encoding="utf-8")
