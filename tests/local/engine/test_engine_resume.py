"""Going on after a failure, a stop or a crash: what succeeded never runs twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.state.locks import running
from pipelines.errors import UsageError
from pipelines.execution.status import StepStatus
from pipelines.json_types import JsonObject
from tests.everything import EVERYTHING

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]
SECONDS = 120
PROGRAM = Path(__file__).with_name("crashing_run.py")


def test_resume_retries_what_failed_and_keeps_what_succeeded(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """Attempts are counted on; the steps after it run now."""
    bench.jobs.answers["b"] = failing
    first = bench.run(
        make_step("a", x="1"),
        make_step("b", y={"Get": "Steps.a.x"}),
        make_step("c", DependsOn=["b"]),
    )
    assert first.status == "Failed"
    bench.jobs.answers.clear()
    run = bench.resume(first.arn)
    assert run.status == "Succeeded"
    assert run.reason is None
    assert bench.jobs.names == ["a", "b", "b", "c"]
    assert bench.arguments("b") == {"y": "1"}
    assert run.steps["b"]["AttemptCount"] == 2
    assert run.steps["a"]["AttemptCount"] == 1


def test_retry_pipeline_execution_reopens_a_failed_execution_for_run(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """The API's way to the same end."""
    bench.jobs.answers["a"] = failing
    first = bench.run(make_step("a"))
    bench.jobs.answers.clear()
    bench.service.retry_pipeline_execution(PipelineExecutionArn=first.arn)
    assert bench.seen(first.arn).status == "Executing"
    bench.service.run(first.arn)
    assert bench.seen(first.arn).status == "Succeeded"


def test_a_condition_keeps_its_outcome_on_resume(
    bench: Bench, make_step: Write, branch: Write, failing: Answer
) -> None:
    """The branch that was taken goes on; the other still does not run."""
    bench.jobs.answers["yes"] = failing
    branches = {"IfSteps": [make_step("yes")], "ElseSteps": [make_step("no")]}
    first = bench.run(branch("c", branches, holds=True))
    bench.jobs.answers.clear()
    assert bench.resume(first.arn).statuses() == {"c": "Succeeded", "yes": "Succeeded"}


def test_a_failure_that_was_handled_stays_as_it_is_on_resume(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """Its handler has run: trying it again would make both sides of the trigger run."""
    bench.jobs.answers = {"bad": failing, "worse": failing}
    first = bench.run(
        make_step("bad"),
        make_step("clean", DependsOn=[{"Step": "bad", "Trigger": "Failed"}]),
        make_step("worse"),
    )
    bench.jobs.answers.clear()
    run = bench.resume(first.arn)
    assert run.status == "CompletedWithFailures"
    assert Counter(bench.jobs.names) == {"bad": 1, "clean": 1, "worse": 2}


def test_what_a_fail_step_ended_cannot_be_resumed(bench: Bench) -> None:
    """As RetryPipelineExecution refuses it."""
    first = bench.run({"Name": "f", "Type": "Fail", "Arguments": {"ErrorMessage": "no"}})
    with pytest.raises(ServiceError) as raised:
        bench.resume(first.arn)
    assert "was ended by its Fail step `f`" in raised.value.problem


def test_what_succeeded_can_be_neither_run_nor_resumed(bench: Bench, make_step: Write) -> None:
    """There is nothing to do."""
    run = bench.run(make_step("a"))
    for again in (bench.service.run, bench.service.resume):
        with pytest.raises(UsageError) as raised:
            again(run.arn)
        assert "has ended: Succeeded" in raised.value.problem


def test_an_execution_that_a_live_process_runs_cannot_be_resumed(
    bench: Bench, make_step: Write
) -> None:
    """The lock is the process's, so its id can be named."""
    bench.define(make_step("a"))
    arn = bench.start()
    identifier = arn.rpartition("/")[2]
    with running(bench.home / "executions" / identifier, identifier):
        assert not bench.service.is_interrupted(arn)
        with pytest.raises(UsageError) as raised:
            bench.resume(arn)
        with pytest.raises(ServiceError) as retried:
            bench.service.retry_pipeline_execution(PipelineExecutionArn=arn)
    assert raised.value.problem.endswith(f"is running in process {os.getpid()}")
    assert retried.value.code == "ConflictException"


def _stop_by_api(bench: Bench, arn: str) -> None:
    bench.service.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert bench.seen(arn).status in {"Stopping", "Stopped"}


def _stop_by_signal(bench: Bench, arn: str) -> None:
    bench.service.request_stop(arn)


@pytest.mark.parametrize("stop", [_stop_by_api, _stop_by_signal])
def test_stopping_ends_running_steps_and_starts_no_others(
    bench: Bench, make_step: Write, stop: Callable[[Bench, str], None]
) -> None:
    """A job that ends by the stop is Stopped; the execution is Stopped and can be resumed."""
    begun = threading.Event()

    def patient(call: StepCall) -> StepOutcome:
        begun.set()
        assert call.stop.wait(SECONDS)
        return StepOutcome(StepStatus.STOPPED, {})

    bench.jobs.answers["a"] = patient
    bench.define(make_step("a"), make_step("b", DependsOn=["a"]))
    arn = bench.start()
    with ThreadPoolExecutor() as pool:
        ran = pool.submit(bench.service.run, arn)
        assert begun.wait(SECONDS)
        stop(bench, arn)
        assert ran.result(SECONDS) == "Stopped"
    assert bench.seen(arn).statuses() == {"a": "Stopped"}
    bench.jobs.answers.clear()
    assert bench.resume(arn).status == "Succeeded"


def test_a_stop_from_another_process_is_noticed(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """It arrives through the state; here a second connection plays the other process."""
    begun = threading.Event()

    def patient(call: StepCall) -> StepOutcome:
        begun.set()
        assert call.stop.wait(SECONDS)
        return succeeding(call)

    bench.jobs.answers["a"] = patient
    bench.define(make_step("a"), make_step("b", DependsOn=["a"]))
    arn = bench.start()
    with ThreadPoolExecutor() as pool, type(bench.service)(bench.service.settings) as other:
        ran = pool.submit(bench.service.run, arn)
        assert begun.wait(SECONDS)
        other.stop_pipeline_execution(PipelineExecutionArn=arn)
        assert ran.result(SECONDS) == "Stopped"
    assert bench.seen(arn).statuses() == {"a": "Succeeded"}


def test_an_execution_that_no_process_runs_is_stopped_at_once(
    bench: Bench, make_step: Write
) -> None:
    """Nobody would notice the request."""
    bench.define(make_step("a"))
    arn = bench.start()
    bench.service.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert bench.seen(arn).status == "Stopped"
    with pytest.raises(ServiceError) as raised:
        bench.service.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert raised.value.code == "ConflictException"


def _crash(home: Path, *arguments: str) -> int:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(PROGRAM), str(home), *arguments]
    return subprocess.run(
        command, env=environment, check=False, timeout=120, capture_output=True
    ).returncode


def _counted(home: Path) -> Counter[str]:
    """Count the calls of each step's executor that came to their end."""
    return Counter((home / "finished.log").read_text(encoding="utf-8").split())


# A run makes 26 commits: 20 creates the group, 21 the package, 26 records the end.
_DRAWN = random.Random(20261122).sample(range(3, 26), 10 if EVERYTHING else 3)  # noqa: S311
COMMITS = sorted({20, 21, *_DRAWN})


@pytest.mark.parametrize("commit", COMMITS)
def test_an_execution_that_is_killed_at_any_commit_is_resumed_to_the_same_end(
    bench: Bench, commit: int
) -> None:
    """SIGKILL after the n-th commit: no recorded success runs again, one version is registered."""
    home = bench.home
    code = _crash(home, "start", str(commit))
    assert code == -signal.SIGKILL
    (summary,) = bench.service.list_pipeline_executions(PipelineName="p")[
        "PipelineExecutionSummaries"
    ]
    arn = summary["PipelineExecutionArn"]
    assert bench.service.is_interrupted(arn)
    before = bench.seen(arn).statuses()
    done = {name for name, status in before.items() if status == "Succeeded"}
    finished = _counted(home) if (home / "finished.log").exists() else Counter[str]()
    assert _crash(home, "resume", arn) == 0
    run = bench.seen(arn)
    assert run.status == "Succeeded"
    assert set(run.statuses()) == {"a", "b", "c", "d", "check", "register", "model"}
    after = _counted(home)
    for name in done & after.keys():
        assert after[name] == finished[name]
    packages = bench.service.list_model_packages(ModelPackageGroupName="g")
    assert [item["ModelPackageVersion"] for item in packages["ModelPackageSummaryList"]] == [1]


def test_two_processes_on_one_folder_lose_nothing(bench: Bench) -> None:
    """Each registers its versions and runs its executions; the numbers have no gap."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(PROGRAM), str(bench.home), "many", "5"]
    processes = [subprocess.Popen(command, env=environment) for _ in range(2)]
    assert [process.wait(120) for process in processes] == [0, 0]
    executions = bench.service.list_pipeline_executions(PipelineName="p")
    summaries = executions["PipelineExecutionSummaries"]
    assert [item["PipelineExecutionStatus"] for item in summaries] == ["Succeeded"] * 10
    packages = bench.service.list_model_packages(ModelPackageGroupName="g")
    versions = [item["ModelPackageVersion"] for item in packages["ModelPackageSummaryList"]]
    assert versions == list(range(1, 11))
