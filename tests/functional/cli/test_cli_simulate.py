"""`run --simulate`: what happens in an account, and never by itself on one machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

TYPES = "  instance_type: [ml.m6i.xlarge, ml.m5.xlarge]\n"
RETRY = """\
  retry:
    - exception_type: [SageMaker.CAPACITY_ERROR]
      interval_seconds: 1
      max_attempts: 1
"""


def with_defaults(project: Path, text: str) -> None:
    """Add keys to the defaults of the project."""
    spec = (project / "pipeline.yaml").read_text("utf-8")
    head = "  image: sklearn-1.9-cpu\n"
    (project / "pipeline.yaml").write_text(spec.replace(head, head + text), "utf-8")


def test_a_type_without_capacity_is_passed_over(project: Path, pipelines: Command) -> None:
    """The run says that it is simulated; `status` says what each job got, as Describe has it."""
    with_defaults(project, TYPES)
    answer = pipelines("run", "--simulate", "capacity:ml.m6i.xlarge")
    assert answer.code == 0, answer.err
    note = "simulated: there is no capacity for ml.m6i.xlarge; ml.m5.xlarge is taken"
    assert f"  make: {note}\n" in answer.out
    assert f"  use: {note}\n" in answer.out
    shown = pipelines("status", "--local", "latest").out
    assert "make: ran on ml.m5.xlarge, of ml.m6i.xlarge, ml.m5.xlarge\n" in shown
    assert pipelines("run").code == 0
    shown = pipelines("status", "--local", "latest").out
    assert "make: ran on ml.m6i.xlarge, of ml.m6i.xlarge, ml.m5.xlarge\n" in shown


def test_without_another_type_the_step_is_tried_again_and_fails(
    project: Path, pipelines: Command
) -> None:
    """By its retry policy; the reason is the service's, and the command to run it again whole."""
    with_defaults(project, RETRY)
    answer = pipelines("run", "--simulate", "capacity:ml.m5.xlarge")
    assert answer.code == 5
    assert "  make: simulated: there is no capacity for ml.m5.xlarge\n" in answer.out
    assert "  make: SageMaker.CAPACITY_ERROR, trying again in 1.0s\n" in answer.out
    assert "CapacityError: Unable to provision requested ML compute capacity." in answer.out
    assert "`pipelines run --simulate capacity:ml.m5.xlarge`" in answer.err
    assert "CapacityError" in pipelines("status", "--local", "latest").out
    assert pipelines("run", "--resume").code == 0


@pytest.mark.parametrize(
    ("option", "remedy"),
    [
        ("capacity:ml.m5.xlrge", "did you mean `ml.m5.xlarge`? allowed: ml.m5.xlarge"),
        ("capcity:ml.m5.xlarge", "did you mean `capacity`?"),
    ],
)
def test_what_cannot_be_simulated_is_refused(
    project: Path, pipelines: Command, option: str, remedy: str
) -> None:
    """A usage error that quotes the option; nothing was run."""
    answer = pipelines("run", "--simulate", option)
    assert answer.code == 2
    assert f"`--simulate {option}`" in answer.err
    assert remedy in answer.err
    assert "no executions yet" in pipelines("status", "--local").out
    assert project.is_dir()
