"""What an observer of an execution is told, in order, from the scheduling thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import field
from typing import TYPE_CHECKING, TypeAlias

from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.execution.job_progress import Progress  # its expressions take a while to compile


@frozen
class ExecutionStarted:
    """An execution begins, or goes on.

    Args:
        execution: its id.
        arn: its ARN.
        pipeline: the pipeline's name.
        steps: the names of its steps.
        done: those that had succeeded before.
        reused: those whose result is that of another execution: its ARN, by step.
        seconds: how long ago it began, where it is followed later.
    """

    execution: str
    arn: str
    pipeline: str
    steps: tuple[str, ...]
    done: tuple[str, ...] = ()
    reused: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0


@frozen
class StepStarted:
    """A step begins, or began `seconds` ago, where it is followed later."""

    step: str
    type: str
    seconds: float = 0.0


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
        reused_from: the ARN of the execution whose result a selective execution uses.
        reason: why it failed.
        log_tail: the last lines of its log, when it failed.
        message: what a job that succeeded says of itself (ExitMessage).
        metrics: the last value of each metric of a job that succeeded.
    """

    step: str
    status: StepStatus
    seconds: float
    cached_from: str | None = None
    reason: str | None = None
    log_tail: tuple[str, ...] = ()
    message: str | None = None
    reused_from: str | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


@frozen
class StepNoted:
    """Something about a running step that its result does not show."""

    step: str
    text: str


@frozen
class StepProgressed:
    """The job of a running step wrote something; this alone may come from another thread.

    Args:
        step: its name.
        line: the newest line of its log that is more than a bar; empty where there is none.
        progress: how far the job is, as its log shows it.
        metrics: the newest value of each metric that its request defines.
    """

    step: str
    line: str = ""
    progress: Progress | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)


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
    | StepProgressed
    | StepEnded
    | StepSkipped
    | ExecutionEnded
)
Observer: TypeAlias = Callable[[Event], None]


def unobserved(_: Event) -> None:
    """Look away."""
