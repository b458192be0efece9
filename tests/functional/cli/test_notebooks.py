"""`from pipelines import load, runs`: executions for notebooks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pipelines as package

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command


@pytest.mark.usefixtures("project")
def test_a_run_has_its_outputs_as_paths_and_its_reports_as_dicts(pipelines: Command) -> None:
    """The latest one, or any other."""
    for count in ("3", "4"):
        assert pipelines("run", "-p", f"count={count}").code == 0
    run = package.load()
    assert (Path(run.outputs["make.rows"]) / "rows.txt").read_text("utf-8").split() == ["word"] * 4
    assert run.reports["make.figures"] == {"count": 4}
    assert run.metrics == {"make.figures.count": 4}
    assert run.parameters["count"] == "4"
    assert run.steps["make"].status == run.status == "Succeeded"
    assert package.load("latest~1").metrics == {"make.figures.count": 3}
    assert [one.id for one in package.runs()] == [run.id, package.load("latest~1").id]


@pytest.mark.usefixtures("project")
def test_metrics_of_runs_are_a_table(pipelines: Command) -> None:
    """A list of rows, and a frame of pandas."""
    for count in ("3", "4"):
        assert pipelines("run", "-p", f"count={count}").code == 0
    rows = package.metrics(package.runs())
    assert [row["make.figures.count"] for row in rows] == [4, 3]
    table = package.frame(package.runs())
    assert list(table["make.figures.count"]) == [4, 3]
    assert list(table.index) == [row["execution"] for row in rows]


def test_the_package_imports_nothing_before_a_name_is_asked_for() -> None:
    """It is part of every job's bundle; a name that it has not is an AttributeError."""
    code = "import sys, pipelines; print([n for n in sys.modules if n.startswith('pipelines')])"
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert answer.stdout.strip() == "['pipelines']"
    with pytest.raises(AttributeError, match="no attribute `lode`"):
        package.lode  # type: ignore[attr-defined]  # noqa: B018 - reading it is the test
