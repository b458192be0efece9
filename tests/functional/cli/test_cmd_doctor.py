"""`doctor --local`: what works here, and what the steps of the spec need more."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

SPEC = """\
spec: 1
pipeline: p
defaults: {image: sklearn-1.4-2}
steps:
  one: {kind: processing, script: work.py, volume_size_in_gb: 16000}
  two: {kind: processing, script: work.py}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a project of two steps, and stand in it."""
    (tmp_path / "pipeline.yaml").write_text(SPEC, "utf-8")
    (tmp_path / "work.py").write_text("import no_such_module\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_what_the_steps_lack_is_said_with_a_remedy(pipelines: Command) -> None:
    """Once for all steps that it holds for; the exit code is 0, for it informs."""
    answer = pipelines("doctor", "--local")
    assert answer.code == 0, answer.err
    here, steps = answer.out.split("\n\n")
    assert "docker" in here
    lines = steps.splitlines()
    at = lines.index("  one, two: imports no_such_module, not installed here")
    assert lines[at + 1] == "    = help: python -m pip install no_such_module"
    assert any(line.startswith("  one: 16000 GB of disk in the spec") for line in lines)


@pytest.mark.usefixtures("project")
def test_json_has_the_facts_of_each_step(pipelines: Command) -> None:
    """Without the grouping, for whoever reads it by program."""
    found = json.loads(pipelines("doctor", "--local", "--format", "json").out)
    assert found["account"] == []
    texts = [f"{one['subject']}: {one['text']}" for one in found["steps"]]
    assert "two: imports no_such_module, not installed here" in texts


def test_a_spec_with_errors_is_named_and_the_machine_is_shown(
    project: Path, pipelines: Command
) -> None:
    """A newcomer's first question is about the machine."""
    (project / "pipeline.yaml").write_text("spec: 1\npipeline: p\nsteps: {}\nodd: 1\n", "utf-8")
    answer = pipelines("doctor", "--local")
    assert answer.code == 0
    assert "this machine" in answer.out
    assert "correct it first: python -m pipelines validate" in answer.out


def test_without_a_spec_the_machine_alone_is_shown(project: Path, pipelines: Command) -> None:
    """Before there is a project."""
    (project / "pipeline.yaml").unlink()
    answer = pipelines("doctor", "--local")
    assert answer.code == 0
    assert "steps" not in answer.out
