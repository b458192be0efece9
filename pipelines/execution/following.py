"""A running execution → the events that a local run shows, by asking again and again.

A failure of the service or the network does not end it: it is waited for until it passes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TypeVar

from pipelines.errors import ExecutionFailedError
from pipelines.execution import executions, logs
from pipelines.execution.activity import Activity
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.errors import InvalidError
from pipelines.execution.events import (
    ExecutionEnded,
    ExecutionStarted,
    Observer,
    StepEnded,
    StepRetried,
    StepSkipped,
    StepStarted,
)
from pipelines.execution.identifiers import identifier, pipeline_of
from pipelines.execution.schedule import ScheduledStep, WillNotRun, read_schedule, readiness
from pipelines.execution.selection import needed, select
from pipelines.execution.status import OPEN, ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes import find_listed

ResultT = TypeVar("ResultT")

_LOCAL_SECONDS = 0.2
_SECONDS = 5.0
_LONGEST_SECONDS = 60.0
_ENDED = {
    "Succeeded": StepStatus.SUCCEEDED,
    "Failed": StepStatus.FAILED,
    "Stopped": StepStatus.STOPPED,
}


@frozen
class Polling:
    """How an execution is followed.

    Args:
        wait: waits that many seconds.
        report_trouble: called with trouble that passes; once, until it has passed.
    """

    wait: Callable[[float], object]
    report_trouble: Callable[[CallRefusedError], None]


def follow(caller: Caller, arn: str, observer: Observer, polling: Polling) -> ExecutionStatus:
    """Show an execution until it has ended; return how.

    Args:
        caller: where.
        arn: the execution's.
        observer: called with what happens.
        polling: how to wait.

    Raises:
        CallRefusedError: it can no longer be seen, for a reason that does not pass.
        ExecutionFailedError: it has a status that nobody knows here.
    """
    retrying = _Retrying(polling)
    described = retrying.ask(lambda: _describe(caller, arn))
    nodes = retrying.ask(lambda: _nodes(caller, arn, described))
    activity = Activity(caller, nodes, observer)
    reported = _Reported(caller, observer, nodes, activity)
    begun = _since(described.get("CreationTime"))
    observer(ExecutionStarted(identifier(arn), arn, pipeline_of(arn), (*nodes,), seconds=begun))
    while True:
        steps = retrying.ask(lambda: executions.steps(caller, arn))
        for step in steps:
            reported.step(step)
        reported.skipped()
        status = _status(described)
        if status not in OPEN:
            seconds = _between(described.get("CreationTime"), described.get("LastModifiedTime"))
            reason = described.get("FailureReason")
            observer(ExecutionEnded(identifier(arn), status, seconds, reason))
            return status
        activity.look(steps)
        polling.wait(_LOCAL_SECONDS if caller.is_local else _SECONDS)
        described = retrying.ask(lambda: _describe(caller, arn))


@frozen
class _Ended:
    name: str
    status: StepStatus
    reason: str | None
    outcome: str | None


@dataclass(slots=True)
class _Retrying:
    """Asks again what failed for a reason that passes, with growing pauses."""

    polling: Polling

    def ask(self, question: Callable[[], ResultT]) -> ResultT:
        pause = _SECONDS
        is_reported = False
        while True:
            try:
                return question()
            except CallRefusedError as error:
                if not error.is_transient:
                    raise
                if not is_reported:
                    self.polling.report_trouble(error)
                    is_reported = True
            self.polling.wait(pause)
            pause = min(pause * 2, _LONGEST_SECONDS)


@dataclass(slots=True)
class _Reported:
    """What was reported so far."""

    caller: Caller
    observer: Observer
    nodes: Mapping[str, ScheduledStep]
    activity: Activity
    attempts: dict[str, int] = field(default_factory=dict)
    ended: dict[str, _Ended] = field(default_factory=dict)
    skips: set[str] = field(default_factory=set)

    def step(self, step: JsonObject) -> None:
        """Report what is new of a step."""
        name = str(step["StepName"])
        if name in self.ended:
            return
        if name not in self.attempts:
            self.attempts[name] = 1
            if "SelectiveExecutionResult" not in step:
                seconds = _since(step.get("StartTime"))
                self.observer(StepStarted(name, _type(step, self.nodes.get(name)), seconds))
        attempt = int(step.get("AttemptCount") or 1)
        if attempt > self.attempts[name]:
            self.attempts[name] = attempt
            self.observer(StepRetried(name, attempt - 1, "the attempt before failed", 0.0))
        status = _ENDED.get(str(step["StepStatus"]))
        if status is not None:
            self._end(name, step, status)

    def _end(self, name: str, step: JsonObject, status: StepStatus) -> None:
        metadata = (step.get("Metadata") or {}).values()
        outcome = next((entry["Outcome"] for entry in metadata if "Outcome" in entry), None)
        self.ended[name] = _Ended(name, status, step.get("FailureReason"), outcome)
        cached = step.get("CacheHitResult") or {}
        reused = step.get("SelectiveExecutionResult") or {}
        failed = status is StepStatus.FAILED
        self.observer(
            StepEnded(
                name,
                status,
                _between(step.get("StartTime"), step.get("EndTime")),
                cached.get("SourcePipelineExecutionArn"),
                step.get("FailureReason"),
                logs.tail(self.caller, step) if failed else (),
                reused_from=reused.get("SourcePipelineExecutionArn"),
                metrics={} if failed or cached or reused else self.activity.last_metrics(step),
            )
        )

    def skipped(self) -> None:
        """Report what will not run, by the rules that the local engine schedules with."""
        changed = True
        while changed:
            changed = False
            for name, node in self.nodes.items():
                if name in self.attempts or name in self.skips:
                    continue
                decided = readiness(node, self.ended, self.skips)
                if isinstance(decided, WillNotRun):
                    self.skips.add(name)
                    self.observer(StepSkipped(name, decided.because))
                    changed = True


def _nodes(caller: Caller, arn: str, described: JsonObject) -> Mapping[str, ScheduledStep]:
    """Read the steps that are to run, and those reused; none where they are beyond our engine."""
    request = {"PipelineExecutionArn": arn}
    answer = caller.call("sagemaker", "describe_pipeline_definition_for_execution", **request)
    config = described.get("SelectiveExecutionConfig")
    try:
        schedule = read_schedule(answer["PipelineDefinition"])
        if config is None:
            return schedule.steps
        names = [item["StepName"] for item in config["SelectedSteps"]]
        return select(schedule, names, needed(schedule, names)).definition.steps
    except InvalidError:
        return {}


def _describe(caller: Caller, arn: str) -> JsonObject:
    return caller.call("sagemaker", "describe_pipeline_execution", PipelineExecutionArn=arn)


def _status(described: JsonObject) -> ExecutionStatus:
    said = described["PipelineExecutionStatus"]
    try:
        return ExecutionStatus(said)
    except ValueError:
        raise ExecutionFailedError(
            f"the execution is `{said}`, a status that this version does not know",
            "look at it with `pipelines status`, or upgrade the tool",
        ) from None


def _type(step: JsonObject, node: ScheduledStep | None) -> str:
    if node is not None:
        return node.type
    listed = next(iter(step.get("Metadata") or {}), "step")
    step_type = find_listed(listed)
    return step_type.name if step_type is not None else listed


def _since(began: object) -> float:
    return _between(began, datetime.now(UTC))


def _between(began: object, ended: object) -> float:
    if isinstance(began, datetime) and isinstance(ended, datetime):
        return max(0.0, (ended - began).total_seconds())
    return 0.0
