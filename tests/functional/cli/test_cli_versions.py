"""`versions`, `rollback` and `destroy` on the local SageMaker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command


def deploy_twice(project: Path, pipelines: Command) -> None:
    """Make two versions: the second one's condition asks for more."""
    assert pipelines("run", "-p", "count=4").code == 0
    spec = project / "pipeline.yaml"
    spec.write_text(spec.read_text("utf-8").replace("default: 2.0", "default: 4.5"), "utf-8")
    assert pipelines("run", "-p", "count=4").code == 5


def test_a_rollback_puts_an_earlier_definition_back(project: Path, pipelines: Command) -> None:
    """As version 3, shown as a difference; what is started then is the old definition."""
    deploy_twice(project, pipelines)
    listed = pipelines("versions", "--local")
    assert [line.split()[0] for line in listed.out.splitlines()] == ["version", "2", "1"]
    answer = pipelines("rollback", "--local", "1")
    assert answer.code == 0, answer.err
    assert "4.5 → 2.0" in answer.out
    rows = json.loads(pipelines("versions", "--local", "--format", "json").out)
    assert [row["version"] for row in rows] == [3, 2, 1]
    assert all("T" in row["created"] for row in rows), "ISO 8601"
    started = pipelines("start", "--local", "--wait", "-p", "count=4")
    assert started.code == 0, started.out
    assert pipelines("rollback", "--local", "7").code == 2


def test_destroy_deletes_the_pipeline_and_keeps_the_objects(
    project: Path, pipelines: Command
) -> None:
    """`--yes` is asked for here too; `--with-data` empties the pipeline's prefix."""
    deploy_twice(project, pipelines)
    asked = pipelines("destroy", "--local")
    assert asked.code == 2
    assert "delete pipeline small" in asked.out
    answer = pipelines("destroy", "--local", "--yes")
    assert answer.code == 0, answer.err
    store = project / ".pipelines" / "s3" / "team-bucket" / "small"
    assert [path for path in store.rglob("*") if path.is_file()]
    assert pipelines("versions", "--local").code == 2
    emptied = pipelines("destroy", "--local", "--yes", "--with-data")
    assert emptied.code == 0, emptied.err
    assert [path for path in store.rglob("*") if path.is_file()] == []
    assert "nothing to delete" in pipelines("destroy", "--local", "--yes", "--with-data").out


@pytest.mark.usefixtures("project")
def test_models_go_only_when_that_is_asked_for(project: Path, pipelines: Command) -> None:
    """The versions first, their group last."""
    from tests.functional.cli.test_cli_run import EVALUATE, REGISTRATION, SERVE, TRAIN  # noqa: PLC0415 - its files

    (project / "pipeline.yaml").write_text(REGISTRATION, "utf-8")
    (project / "steps" / "train.py").write_text(TRAIN, "utf-8")
    (project / "steps" / "evaluate.py").write_text(EVALUATE, "utf-8")
    (project / "serving").mkdir()
    (project / "serving" / "inference.py").write_text(SERVE, "utf-8")
    assert pipelines("run").code == 0
    assert pipelines("destroy", "--local", "--yes").code == 0
    assert "words/1" in pipelines("models", "--local").out
    answer = pipelines("destroy", "--local", "--yes", "--with-models")
    assert answer.code == 0, answer.err
    assert "model package group words" in answer.out
    assert "no models yet" in pipelines("models", "--local").out
