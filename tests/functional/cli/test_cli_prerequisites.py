"""What is not installed here is known before the first step, however an execution is started."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.cli import prerequisites

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

    from tests.functional.cli.conftest import Command

DEPLOY = """
  deploy:
    kind: deployment
    group: words
    after: [make]
    endpoint: words
    sample: sample.json
    serverless: {max_concurrency: 1}
"""
REGISTER = """
  train:
    kind: training
    image: sklearn-1.9-cpu
    script: steps/use.py
  register:
    kind: registration
    group: words
    model: ${steps.train.model}
    serving:
      source: serving/
      image: sklearn-1.9-cpu
      content_types: [text/csv]
      requirements: serving/requirements.txt
"""
SPREAD = """
  spread:
    kind: training
    image: pytorch-2.13-cpu
    script: steps/use.py
    distribution: {launcher}
"""


def add(project: Path, steps: str) -> None:
    """Add steps to the spec, and the files that they name."""
    spec = project / "pipeline.yaml"
    spec.write_text(spec.read_text() + steps)
    (project / "sample.json").write_text("{}")
    (project / "serving").mkdir(exist_ok=True)
    (project / "serving" / "inference.py").write_text("def model_fn(d): ...")
    (project / "serving" / "requirements.txt").write_text("nosuchdistribution==1.0\n")


def lack(monkeypatch: pytest.MonkeyPatch, *modules: str) -> None:
    """Have modules look as if they were not installed."""

    def found(name: str) -> ModuleSpec | None:
        return None if name in modules else find_spec(name)

    monkeypatch.setattr(prerequisites, "find_spec", found)


@pytest.mark.parametrize("way", ["spec", "definition", "resume"])
def test_a_package_that_a_step_needs_is_missed_before_the_first_step(
    way: str, project: Path, monkeypatch: pytest.MonkeyPatch, pipelines: Command
) -> None:
    """A deployment needs boto3 and the API: named at once, with the command that installs them."""
    add(project, DEPLOY)
    words: tuple[str, ...] = ("run",)
    if way == "definition":
        assert pipelines("compile", "-o", "build/").code == 0
        words = ("run", "--from-definition", "build/small.json")
    if way == "resume":
        assert pipelines("run", "-p", "mode=bad").code == 5
        words = ("run", "--resume")
    monkeypatch.setattr(prerequisites, "missing", lambda _: ("boto3",))
    answer = pipelines(*words)
    assert answer.code == 2
    assert "the step `deploy` needs boto3, not installed here" in answer.err
    assert "help: pip install 'boto3>=1.44'" in answer.err
    assert "started" not in answer.out


def test_serving_requirements_need_pip(
    project: Path, monkeypatch: pytest.MonkeyPatch, pipelines: Command
) -> None:
    """Some environments have none, uv's for example; the command given installs it."""
    add(project, REGISTER)
    lack(monkeypatch, "pip")
    answer = pipelines("run")
    assert answer.code == 2
    assert "`register-package` installs serving requirements with pip" in answer.err
    assert "-m ensurepip --upgrade" in answer.err
    assert "started" not in answer.out


def test_requirements_need_an_installer_unless_they_are_met(
    project: Path, monkeypatch: pytest.MonkeyPatch, pipelines: Command
) -> None:
    """Without pip and ensurepip nothing can be installed; what is there already needs none."""
    spec = project / "pipeline.yaml"
    text = spec.read_text()
    spec.write_text(
        text.replace("script: steps/use.py", "script: steps/use.py\n    requirements: r.txt")
    )
    (project / "r.txt").write_text("click\n")
    lack(monkeypatch, "pip", "ensurepip")
    assert pipelines("run").code == 0
    (project / "r.txt").write_text("nosuchdistribution==1.0\n")
    answer = pipelines("run")
    assert answer.code == 2
    assert "the step `use` needs nosuchdistribution==1.0, and there is no pip" in answer.err
    assert pipelines("run", "--stub", f"use={project / 'stub.json'}").code == 2


@pytest.mark.parametrize(
    ("launcher", "lacking"),
    [("torchrun", "torch"), ("mpi", "mpirun"), ("tensorflow", "tensorflow")],
)
def test_what_starts_the_ranks_is_missed_before_the_first_step(
    launcher: str,
    lacking: str,
    project: Path,
    monkeypatch: pytest.MonkeyPatch,
    pipelines: Command,
) -> None:
    """The image has it; here it may be missing."""
    add(project, SPREAD.replace("{launcher}", launcher))
    lack(monkeypatch, "torch", "tensorflow")
    monkeypatch.setattr("shutil.which", lambda _, **_path: None)
    answer = pipelines("run")
    assert answer.code == 2
    assert f"the step `spread` needs {lacking}, not installed here" in answer.err
    assert "started" not in answer.out


@pytest.mark.parametrize("launcher", ["smddp", "smp"])
def test_a_library_of_sagemakers_own_asks_for_a_stub(
    launcher: str, project: Path, pipelines: Command
) -> None:
    """It exists in images alone; a stub runs in the step's place."""
    image = "658645717510.dkr.ecr.us-west-2.amazonaws.com/smdistributed-modelparallel:2.4.1-gpu"
    spread = SPREAD.replace("{launcher}", f"{launcher}\n    instance_type: ml.p4d.24xlarge")
    name = image if launcher == "smp" else "pytorch-2.0-gpu"
    add(project, spread.replace("pytorch-2.13-cpu", name))
    answer = pipelines("run")
    assert answer.code == 2
    assert f"the step `spread` has `distribution: {launcher}`" in answer.err
    assert "--stub spread=FILE" in answer.err
    (project / "stub.json").write_text('{"properties": {}}')
    assert pipelines("run", "--stub", f"spread={project / 'stub.json'}").code == 0
