"""The states of a job, in the service's words: a state machine of values.

`InProgress` becomes `Completed`, `Failed` or, by way of `Stopping`, `Stopped`; a job that has ended
changes no more. Below `InProgress` stand the phases, which DescribeTrainingJob shows as
SecondaryStatus, with what they are called there.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


class JobStatus(StrEnum):
    """`TrainingJobStatus`, `ProcessingJobStatus` and `TransformJobStatus` of the service."""

    IN_PROGRESS = "InProgress"
    STOPPING = "Stopping"
    COMPLETED = "Completed"
    FAILED = "Failed"
    STOPPED = "Stopped"


class JobPhase(StrEnum):
    """What a job in progress is doing: SecondaryStatus of the service."""

    STARTING = "Starting"
    DOWNLOADING = "Downloading"
    RUNNING = "Training"
    INTERRUPTED = "Interrupted"
    UPLOADING = "Uploading"


OPEN = frozenset({JobStatus.IN_PROGRESS, JobStatus.STOPPING})
"""The statuses of a job that has not ended."""

MAX_RUNTIME_EXCEEDED = "MaxRuntimeExceeded"
MAX_WAIT_TIME_EXCEEDED = "MaxWaitTimeExceeded"
_MESSAGES: dict[str, str] = {
    JobPhase.STARTING: "Preparing the instances for training",
    JobPhase.DOWNLOADING: "Downloading input data",
    JobPhase.RUNNING: "Training image download completed. Training in progress.",
    JobPhase.UPLOADING: "Uploading generated training model",
    JobStatus.STOPPING: "Stopping the training job",
    JobStatus.COMPLETED: "Training job completed",
    JobStatus.FAILED: "Training job failed",
    JobStatus.STOPPED: "Training job stopped",
    MAX_RUNTIME_EXCEEDED: "Training job runtime exceeded MaxRuntimeInSeconds provided",
}


class JobStateError(Exception):
    """A change that a job in its state cannot make: a bug of ours, or a refusal of the service."""


@frozen
class Transition:
    """One secondary status; times are seconds since 1970, `ended` None for the current one."""

    status: str
    started: float
    ended: float | None = None

    def described(self) -> JsonObject:
        """Return the entry of `SecondaryStatusTransitions`."""
        ended = {} if self.ended is None else {"EndTime": self.ended}
        message = {"StatusMessage": _MESSAGES[self.status]} if self.status in _MESSAGES else {}
        return {"Status": self.status, "StartTime": self.started, **ended, **message}


@frozen
class JobOutcome:
    """How a job ended.

    Args:
        status: COMPLETED, FAILED or STOPPED.
        reason: why it failed or was cut off, at most 1024 characters; None for one that did what
            it was asked for, stopping on request included.
        secondary: its last secondary status; None where that is the status.
        fault: the service's exception type for retries if the platform failed.
        results: members that Describe has from now on, such as `ModelArtifacts`.
        notes: remarks for whoever watches, which the service does not have.
    """

    status: JobStatus
    reason: str | None = None
    secondary: str | None = None
    fault: str | None = None
    results: JsonObject | None = None
    notes: tuple[str, ...] = ()


@frozen
class JobState:
    """The state of a job; times are seconds since 1970.

    Args:
        status: its status.
        transitions: its secondary statuses so far, the current one last.
        created: when it was created.
        modified: when its state changed last.
        started: when its container started.
        ended: when it ended.
        reason: why it failed.
    """

    status: JobStatus
    transitions: tuple[Transition, ...]
    created: float
    modified: float
    started: float | None = None
    ended: float | None = None
    reason: str | None = None

    @classmethod
    def new(cls, now: float) -> JobState:
        """Return the state of a job that was just created."""
        begun = (Transition(JobPhase.STARTING, now),)
        return cls(JobStatus.IN_PROGRESS, begun, created=now, modified=now)

    @property
    def is_open(self) -> bool:
        """Whether it has not ended."""
        return self.status in OPEN

    @property
    def secondary(self) -> str:
        """Its current secondary status."""
        return self.transitions[-1].status

    def entered(self, phase: JobPhase, now: float) -> JobState:
        """Return the state once a phase has begun; a job that is being stopped stays Stopping.

        Raises:
            JobStateError: it has ended.
        """
        self._require_open(phase)
        begins = phase is JobPhase.RUNNING and self.started is None  # the first time, on spot
        started = now if begins else self.started
        if self.status is JobStatus.STOPPING or self.secondary == phase:
            return replace(self, started=started, modified=now)
        return replace(
            self, transitions=self._followed_by(phase, now), started=started, modified=now
        )

    def stopping(self, now: float) -> JobState:
        """Return the state once somebody has asked for its end; asking twice changes nothing.

        Raises:
            JobStateError: it has ended.
        """
        self._require_open(JobStatus.STOPPING)
        if self.status is JobStatus.STOPPING:
            return self
        stopping = JobStatus.STOPPING
        followed = self._followed_by(stopping, now)
        return replace(self, status=stopping, transitions=followed, modified=now)

    def finished(self, end: JobOutcome, now: float) -> JobState:
        """Return the state at the end.

        Raises:
            JobStateError: it has ended already, or that is no end.
        """
        self._require_open(end.status)
        if end.status in OPEN:
            raise JobStateError(f"{end.status} is not the end of a job")
        followed = self._followed_by(end.secondary or end.status, now)
        last = replace(followed[-1], ended=now)
        return replace(
            self,
            status=end.status,
            transitions=(*followed[:-1], last),
            modified=now,
            ended=now,
            reason=end.reason,
        )

    def _followed_by(self, status: str, now: float) -> tuple[Transition, ...]:
        *earlier, current = self.transitions
        return (*earlier, replace(current, ended=now), Transition(str(status), now))

    def _require_open(self, wanted: str) -> None:
        if not self.is_open:
            raise JobStateError(f"a job that is {self.status} cannot become {wanted}")
