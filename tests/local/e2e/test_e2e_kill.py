"""An execution that is killed with SIGKILL goes on with `run --resume`."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import TimeoutExpired

import pytest

from pipelines.backends.local.jobs.isolation import probe
from tests.everything import EVERYTHING
from tests.local.e2e.tiny_project import HANG, JOBS, Project
from tests.waiting import until

POINTS = 40 if EVERYTHING else 6
"""How many runs are killed."""

EARLY = -(-POINTS // 8)
LINES = 14  # of the 16 that a run prints
PAUSE = 0.3  # seconds; a job takes about as long


@dataclass(frozen=True, slots=True)
class Point:
    """When to kill: so many seconds after so many lines of progress."""

    lines: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Result:
    """What a run left: statuses by step, versions in the registry, contents of artifacts."""

    statuses: Mapping[str, str]
    versions: tuple[str, ...]
    artifacts: Mapping[str, bytes]


def _result(project: Project) -> Result:
    (execution,) = project.seen()
    with project.sagemaker() as sagemaker:
        packages = sagemaker.list_model_packages(ModelPackageGroupName="tiny")
    versions = tuple(p["ModelPackageArn"] for p in packages["ModelPackageSummaryList"])
    assert execution.status == "Succeeded"
    return Result(execution.steps, versions, project.artifacts(execution.id))


def _points(start: float) -> list[Point]:
    """Draw the points: a few while the tool starts, the others all over the execution."""
    draw = random.Random(20261123)  # noqa: S311 - not for secrets
    early = [Point(0, start * draw.uniform(0.5, 1.0)) for _ in range(EARLY)]
    late = [Point(draw.randint(1, LINES), draw.uniform(0, PAUSE)) for _ in range(POINTS - EARLY)]
    return early + late


def _kill(project: Project, point: Point) -> bool:
    """Run the project and kill it at a point; say whether it was still running."""
    with project.started("run") as process:
        assert process.stdout is not None
        for _ in range(point.lines):
            process.stdout.readline()
        with suppress(TimeoutExpired):
            process.wait(point.seconds)
        process.kill()
    project.wait_for_no_process()
    return process.returncode == -signal.SIGKILL


def _seconds_to_start(project: Project) -> float:
    """Run the project to its end and measure how long it took to begin."""
    began = time.monotonic()
    with project.started("run") as process:
        assert process.stdout is not None
        process.stdout.readline()
        seconds = time.monotonic() - began
        process.communicate()
    return seconds


def _go_on(project: Project) -> None:
    """Resume what the kill left; what was recorded as succeeded must not run again."""
    found = project.seen()
    before = project.calls()
    if [execution.status for execution in found] != ["Succeeded"]:
        ended = project.run(*(("run", "--resume") if found else ("run",)))
        assert ended.code == 0, ended.text
    after = project.calls()
    for name, status in found[0].steps.items() if found else ():
        if status == "Succeeded":
            assert after[name] == before[name], name
    assert all(after[step] >= calls for step, calls in JOBS.items())
    assert project.leftovers() == []


def _killed_and_resumed(project: Project, point: Point) -> tuple[bool, Result]:
    killed = _kill(project, point)
    _go_on(project)
    return killed, _result(project)


@pytest.mark.slow
def test_a_run_killed_at_any_point_resumes_to_the_same_end(tmp_path: Path) -> None:
    """Same statuses, one version, same bytes; what had succeeded is not run again."""
    way = probe().which
    whole = Project(tmp_path / "whole", {"PIPELINES_ISOLATION": way}).make()
    start = _seconds_to_start(whole)
    expected = _result(whole)
    assert set(expected.statuses.values()) == {"Succeeded"}
    assert len(expected.versions) == 1
    projects = [
        Project(tmp_path / f"killed-{number:02}", {"PIPELINES_ISOLATION": way}).make()
        for number in range(POINTS)
    ]
    with ThreadPoolExecutor(2) as pool:
        ended = list(pool.map(_killed_and_resumed, projects, _points(start)))
    for killed, result in ended:
        assert result == expected, killed
    assert any(killed for killed, _ in ended)


def test_a_killed_run_takes_its_jobs_along_in_either_way_of_isolation(either: Project) -> None:
    """Both hosts of the training job were alive; so was a process in a session of its own."""
    either.script("train", HANG)
    with either.started("run") as process:
        until(lambda: either.calls()["train"] == 2)
        assert len(either.leftovers()) >= 2
        process.kill()
    either.wait_for_no_process()
    Path(f"{either.ran}.go").touch()
    (execution,) = either.seen()
    assert "Executing, interrupted" in either.run("status", "--local").out
    title = either.run("status", "--local", "latest").out.splitlines()[0]
    assert title.endswith(f": resume it with `pipelines run --resume {execution.id}`")
    _go_on(either)
    assert either.calls() == JOBS + Counter({"train": 2})
    assert len(_result(either).versions) == 1


def test_a_finished_execution_is_not_resumed(project: Project) -> None:
    """There is nothing to go on with, and the message says so."""
    assert project.run("run").code == 0
    ended = project.run("run", "--resume")
    assert ended.code == 2
    assert "there is nothing to resume" in ended.err
