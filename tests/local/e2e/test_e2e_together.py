"""Several commands at the same time in one folder."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack

from tests.local.e2e.tiny_project import HANG, JOBS, STEPS, Project
from tests.waiting import SECONDS, until


def _run_together(project: Project, *commands: tuple[str, ...]) -> list[str]:
    """Start commands at once; return what each printed."""
    with ExitStack() as stack:
        started = [stack.enter_context(project.started(*words)) for words in commands]
        outputs = [process.communicate(timeout=SECONDS) for process in started]
    for process, (out, err) in zip(started, outputs, strict=True):
        assert process.returncode == 0, out + err
    return [out for out, _ in outputs]


def test_two_runs_at_once_both_succeed_and_lose_nothing(project: Project) -> None:
    """Two executions, two versions, every step of both."""
    _run_together(project, ("run", "--no-cache"), ("run", "--no-cache"))
    executions = project.seen()
    assert [execution.status for execution in executions] == ["Succeeded", "Succeeded"]
    for execution in executions:
        assert execution.steps == dict.fromkeys(execution.steps, "Succeeded")
        assert set(execution.steps) == set(STEPS)
    assert sorted(model["ModelPackageVersion"] for model in project.models()) == [1, 2]
    assert project.calls() == JOBS + JOBS
    assert project.artifacts(executions[0].id) == project.artifacts(executions[1].id)


def test_runs_of_different_specs_each_run_their_own(project: Project) -> None:
    """One pipeline, two versions of its spec, each three times: who compiled it gets it."""
    text = (project.folder / "pipeline.yaml").read_text()
    project.write("other.yaml", text.replace("group: tiny", "group: other"))
    one, other = ("run",), ("run", "-f", "other.yaml")
    _run_together(project, one, other, one, other)
    assert [execution.status for execution in project.seen()] == ["Succeeded"] * 4
    groups = Counter(model["ModelPackageGroupName"] for model in project.models())
    assert groups == {"tiny": 2, "other": 2}


def test_an_execution_under_way_cannot_be_resumed_by_another_run(project: Project) -> None:
    """`status` sees it meanwhile; the other run is told that there is nothing to resume."""
    project.script("train", HANG)
    with project.started("run"):
        until(lambda: project.calls()["train"] == 2)
        (execution,) = project.seen()
        assert project.statuses()["train"] == "Executing"
        ended = project.run("run", "--resume", execution.id)
        assert ended.code == 2
        assert f"execution {execution.id} is running in process" in ended.err
        assert project.run("run", "--resume").code == 2
