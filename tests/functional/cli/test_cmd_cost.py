"""`cost`: what an execution will cost, and has cost, by prices of a file; unknown without."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

PRICES = {"processing/ml.m5.xlarge": 0.25, "processing/storage": 0.1}


def test_a_cost_is_unknown_until_somebody_gives_prices(project: Path, pipelines: Command) -> None:
    """No price is built in; what depends on one that is missing is said to be unknown."""
    unknown = pipelines("cost")
    assert unknown.code == 0, unknown.err
    assert "unknown: the time of make, which no run has had, processing/ml.m5.xlarge" in unknown.out
    assert "pipelines cost --refresh" in unknown.out
    assert pipelines("run").code == 0
    (project / "prices.json").write_text(json.dumps(PRICES))
    rows = {line.split("  ")[0]: line for line in pipelines("cost", "--local").out.splitlines()}
    assert "1 x processing/ml.m5.xlarge" in rows["make"]
    assert rows["make"].endswith("24h 00m  6.10 $")
    assert "prices.json" in rows[next(row for row in rows if row.startswith("prices: "))]
    answer = json.loads(pipelines("cost", "--local", "latest", "--format", "json").out)
    spent = {one["step"]: one for one in answer["spent"]}
    assert spent.keys() == {"make", "use"}
    assert spent["make"]["amount"]["dollars"] > 0
    assert spent["make"]["amount"]["unknown"] == []


def test_a_file_of_prices_that_is_wrong_is_named(project: Path, pipelines: Command) -> None:
    """A price is above 0: one that is not known is left out of the file."""
    (project / "mine.json").write_text('{"processing/ml.m5.xlarge": 0}')
    refused = pipelines("cost", "--prices", "mine.json")
    assert refused.code == 2
    assert "mine.json: the price of processing/ml.m5.xlarge must be dollars, above 0" in refused.err
