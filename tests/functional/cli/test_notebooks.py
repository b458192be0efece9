"""`from pipelines import load, runs`: executions for notebooks."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import pipelines as package
from pipelines.errors import UsageError

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


def test_a_run_is_read_where_it_was_loaded(
    project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A notebook may change its folder before it asks for the outputs."""
    assert pipelines("run", "-p", "count=2").code == 0
    run = package.load()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert Path(run.outputs["make.rows"]).is_relative_to(project)
    assert run.metrics == {"make.figures.count": 2}


def test_no_parameter_takes_the_place_of_a_column(project: Path, pipelines: Command) -> None:
    """Parameters may be called `status` or `execution`."""
    spec = project / "pipeline.yaml"
    text = spec.read_text("utf-8")
    named = "parameters:\n  status: {type: string, default: mine}\n"
    spec.write_text(text.replace("parameters:\n", named), "utf-8")
    assert pipelines("run").code == 0
    (row,) = package.metrics(package.runs())
    assert (row["status"], row["parameters.status"]) == ("Succeeded", "mine")


@pytest.mark.usefixtures("project")
def test_a_number_of_runs_below_zero_is_refused() -> None:
    """In our words."""
    with pytest.raises(UsageError, match="is not a number of executions"):
        package.runs(last=-1)
    assert package.runs(last=0) == []


def test_type_checkers_read_the_package() -> None:
    """They skip a package without this file, and `load` would be of no type."""
    assert files("pipelines").joinpath("py.typed").is_file()
