"""What runs when, at the same time as what, and what is told about it."""

from __future__ import annotations

import errno
import re
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.engine.context import RunOptions
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.execution.events import (
    Event,
    ExecutionEnded,
    ExecutionStarted,
    StepEnded,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from tests.local.engine.conftest import Answer, Bench

Write = Callable[..., JsonObject]
SECONDS = 120


def test_independent_steps_run_at_the_same_time(
    bench: Bench, make_step: Write, succeeding: Answer
) -> None:
    """Four steps meet at a barrier: it opens only when all four are running."""
    barrier = threading.Barrier(4)

    def meet(call: StepCall) -> StepOutcome:
        barrier.wait(SECONDS)
        return succeeding(call)

    names = ["a", "b", "c", "d"]
    bench.jobs.answers = dict.fromkeys(names, meet)
    options = RunOptions(bench.events.append, max_parallel=4)
    run = bench.run(*(make_step(name) for name in names), options=options)
    assert run.status == "Succeeded"
    kinds = [type(event) for event in bench.events]
    assert kinds == [ExecutionStarted, *[StepStarted] * 4, *[StepEnded] * 4, ExecutionEnded]


@pytest.mark.parametrize("most", [1, 2])
def test_no_more_steps_run_than_max_parallel_allows(
    bench: Bench, make_step: Write, succeeding: Answer, most: int
) -> None:
    """By the order of events: no more starts than ends plus the limit."""
    running, seen, lock = [0], [0], threading.Lock()

    def count(call: StepCall) -> StepOutcome:
        with lock:
            running[0] += 1
            seen[0] = max(seen[0], running[0])
        call.stop.wait(0.01)
        with lock:
            running[0] -= 1
        return succeeding(call)

    names = [f"s{number}" for number in range(6)]
    bench.jobs.answers = dict.fromkeys(names, count)
    bench.define(*(make_step(name) for name in names))
    limit = {"MaxParallelExecutionSteps": most}
    assert bench.run(ParallelismConfiguration=limit).status == "Succeeded"
    assert seen[0] <= most


def test_a_full_disk_fails_the_step_and_not_the_run(bench: Bench, make_step: Write) -> None:
    """Other branches end cleanly."""

    def fill(_: StepCall) -> StepOutcome:
        raise OSError(errno.ENOSPC, "No space left on device", "model.tar.gz")

    bench.jobs.answers = {"full": fill}
    run = bench.run(make_step("full"), make_step("after", DependsOn=["full"]), make_step("aside"))
    assert run.status == "Failed"
    assert run.statuses() == {"full": "Failed", "aside": "Succeeded"}
    reason = run.steps["full"]["FailureReason"]
    assert re.fullmatch(r"model.tar.gz: No space left on device \(.* of .* MB free at .*\)", reason)


def test_a_step_starts_after_everything_it_refers_to(bench: Bench, make_step: Write) -> None:
    """References, however deep, and DependsOn are waited for; the order in the file is not."""
    run = bench.run(
        make_step("c", deep=[{"x": {"Std:Join": {"Values": [{"Get": "Steps.b.x"}]}}}]),
        make_step("b", x="1", DependsOn=["a"]),
        make_step("a"),
    )
    assert run.status == "Succeeded"
    assert bench.jobs.names == ["a", "b", "c"]


def test_after_a_failure_nothing_downstream_runs_and_other_branches_end(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """Independent branches run to their end; the execution is Failed and says which step."""
    bench.jobs.answers["bad"] = failing
    run = bench.run(
        make_step("bad"),
        make_step("after", DependsOn=["bad"]),
        make_step("later", DependsOn=["after"]),
        make_step("good"),
        make_step("better", DependsOn=["good"]),
    )
    assert run.statuses() == {"bad": "Failed", "good": "Succeeded", "better": "Succeeded"}
    assert run.status == "Failed"
    assert run.reason == (
        "Step failure: One or multiple steps failed. bad: the script ended with 1"
    )
    assert run.steps["bad"]["FailureReason"] == "the script ended with 1"
    skipped = {
        event.step: event.because for event in bench.events if isinstance(event, StepSkipped)
    }
    assert skipped == {"after": "`bad` ended as Failed", "later": "`after` did not run"}


def test_an_error_of_the_users_raised_by_an_executor_fails_its_step(
    bench: Bench, make_step: Write
) -> None:
    """A PipelinesError becomes the FailureReason, with what to do about it."""

    def refuse(_: StepCall) -> StepOutcome:
        raise ServiceError("ValidationException", "no such image", "name another")

    bench.jobs.answers["a"] = refuse
    run = bench.run(make_step("a"))
    assert run.steps["a"]["FailureReason"] == "no such image; name another"


RUNS = [
    ("Completed", "good"),
    ("Failed", "bad"),
    ("Any", "good"),
    ("Any", "bad"),
    ("Any", "stopped"),
    ("Stopped", "stopped"),
]


@pytest.mark.parametrize("before", ["good", "bad", "stopped"])
@pytest.mark.parametrize("trigger", ["Completed", "Failed", "Any", "Stopped"])
def test_triggers_decide_by_how_the_step_before_ended(
    bench: Bench, make_step: Write, failing: Answer, trigger: str, before: str
) -> None:
    """`{"Step": …, "Trigger": …}` in DependsOn."""
    bench.jobs.answers = {
        "bad": failing,
        "stopped": lambda _: StepOutcome(StepStatus.STOPPED, {}),
    }
    depends = [{"Step": before, "Trigger": trigger}]
    run = bench.run(make_step(before), make_step("after", DependsOn=depends))
    assert ("after" in run.steps) is ((trigger, before) in RUNS)


def test_a_trigger_of_null_is_none(bench: Bench, make_step: Write) -> None:
    """As every other member of null."""
    depends = [{"Step": "a", "Trigger": None}]
    run = bench.run(make_step("b", DependsOn=depends), make_step("a"))
    assert run.status == "Succeeded"
    assert bench.jobs.names == ["a", "b"]


def test_a_failure_that_a_trigger_handled_completes_with_failures(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """The status of the API; the reason stays with the step."""
    bench.jobs.answers["bad"] = failing
    depends = [{"Step": "bad", "Trigger": "Failed"}]
    run = bench.run(make_step("bad"), make_step("clean", DependsOn=depends))
    assert run.status == "CompletedWithFailures"
    assert run.statuses() == {"bad": "Failed", "clean": "Succeeded"}


def test_a_failure_whose_handler_did_not_run_fails_the_execution(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """The handler waited for another step too, which did not end as it needed."""
    bench.jobs.answers = {"bad": failing, "worse": failing}
    depends = [{"Step": "bad", "Trigger": "Failed"}, "worse"]
    run = bench.run(make_step("bad"), make_step("worse"), make_step("clean", DependsOn=depends))
    assert run.status == "Failed"
    assert "clean" not in run.steps


def test_the_observer_is_told_in_order_and_by_the_calling_thread(
    bench: Bench, make_step: Write, failing: Answer
) -> None:
    """With the tail of the log of a step that failed."""
    threads: set[str] = set()
    events: list[Event] = []

    def observe(event: Event) -> None:
        threads.add(threading.current_thread().name)
        events.append(event)

    def log_and_fail(call: StepCall) -> StepOutcome:
        text = "\n".join(f"line {number}" for number in range(100))
        (call.logs / "algo-1.log").write_text(text, encoding="utf-8")
        return failing(call)

    bench.jobs.answers["b"] = log_and_fail
    run = bench.run(make_step("a"), make_step("b", DependsOn=["a"]), options=RunOptions(observe))
    assert threads == {threading.current_thread().name}
    begin, *middle, end = events
    assert begin == ExecutionStarted(run.id, run.arn, "p", ("a", "b"))
    assert [event.step for event in middle if isinstance(event, StepStarted | StepEnded)] == [
        *("a", "a"),
        *("b", "b"),
    ]
    failed = middle[-1]
    assert isinstance(failed, StepEnded)
    assert failed.log_tail == tuple(f"line {number}" for number in range(80, 100))
    assert isinstance(end, ExecutionEnded)
    assert end.status is ExecutionStatus.FAILED


def test_the_definition_and_the_logs_lie_in_the_executions_folder(
    bench: Bench, make_step: Write
) -> None:
    """`executions/<id>/definition.json`, and a folder for each attempt."""
    run = bench.run(make_step("a"))
    folder = bench.home / "executions" / run.id
    assert (folder / "definition.json").is_file()
    assert bench.jobs.calls[0].logs == folder / "a" / "1"


def test_job_names_hold_execution_step_and_failures_within_63_characters(
    bench: Bench, make_step: Write
) -> None:
    """`pipelines-<execution>-<step, 20 characters>-<token>-<failures>`, and no underscore."""
    run = bench.run(make_step("evaluate_the_model_on_everything"))
    name = bench.jobs.calls[0].job_name
    assert name.startswith(f"pipelines-{run.id}-evaluate-the-model-o-")
    assert name.endswith("-0")
    assert len(name) <= 63


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ([{"Name": "a"}], "needs `Name` and `Type`"),
        ([{"Name": "../a", "Type": "Fail"}], "`../a` is not a valid step name"),
        ([{"Name": "a", "Type": "Fail"}] * 2, "two steps are named `a`"),
        (
            [{"Name": "a", "Type": "Fail", "DependsOn": ["b"]}],
            "step `a` refers to `b`, which this pipeline does not have",
        ),
        (
            [{"Name": "a", "Type": "Fail", "DependsOn": [{"Step": "a", "Trigger": "Done"}]}],
            "step `a` waits for the trigger `Done`",
        ),
        (
            [
                {"Name": "a", "Type": "Fail", "DependsOn": ["b"]},
                {"Name": "b", "Type": "Training", "Arguments": {"x": {"Get": "Steps.a.x"}}},
            ],
            "can never start: `a`, `b`",
        ),
    ],
)
def test_a_definition_that_cannot_be_scheduled_is_refused_at_once(
    bench: Bench, steps: list[JsonObject], problem: str
) -> None:
    """CreatePipeline answers with a ValidationException."""
    with pytest.raises(ServiceError) as raised:
        bench.define(*steps)
    assert raised.value.code == "ValidationException"
    assert problem in raised.value.problem
