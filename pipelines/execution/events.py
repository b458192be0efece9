"""What an observer of an execution is told, in order, from the scheduling thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen


@frozen
class ExecutionStarted:
    """An execution begins, or goes on: `done` are the steps that had succeeded before."""

    execution: str
    arn: str
    pipeline: str
    steps: tuple[str, ...]
    done: tuple[str, ...] = ()


@frozen
class StepStarted:
    """A step begins."""

    step: str
    type: str


@frozen
class StepRetried:
    """An attempt failed with a fault of the platform; the next one begins in `wait` seconds."""

    step: str
    attempt: int
    fault: str
    wait: float


@frozen
class StepEnded:
    """A step ended.

    Args:
        step: its name.
        status: SUCCEEDED, FAILED or STOPPED.
        seconds: how long it took.
        cached_from: the ARN of the execution whose result was taken.
        reason: why it failed.
        log_tail: the last lines of its log, when it failed.
        message: what a job that succeeded says of itself (ExitMessage).
    """

    step: str
    status: StepStatus
    seconds: float
    cached_from: str | None = None
    reason: str | None = None
    log_tail: tuple[str, ...] = ()
    message: str | None = None


@frozen
class StepNoted:
    """Something about a running step that its result does not show."""

    step: str
    text: str


@frozen
class StepSkipped:
    """A step will not run: a branch not taken, or a step before it that did not end as needed."""

    step: str
    because: str


@frozen
class ExecutionEnded:
    """An execution ended, `seconds` after it began or went on."""

    execution: str
    status: ExecutionStatus
    seconds: float
    reason: str | None = None


Event: TypeAlias = (
    ExecutionStarted
    | StepStarted
    | StepRetried
    | StepNoted
    | StepEnded
    | StepSkipped
    | ExecutionEnded
)
Observer: TypeAlias = Callable[[Event], None]


def unobserved(_: Event) -> None:
    """Look away."""
