"""What a job of one Type is: how it runs, and what its Describe adds to its request.

Each module of `kinds/` is named by the step Type whose request creates the job, and holds one
`KIND`; the service finds it by that name.
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

from pipelines.backends.local.errors import ServiceErrorCode
from pipelines.backends.local.jobs.states import JobOutcome, JobPhase
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType, module_name
from pipelines.steptypes.steptype import Resource

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.spec import ContainerCommand, JobIdentity, LocalJob
    from pipelines.backends.local.settings import LocalSettings
    from pipelines.backends.local.state.jobs import JobRecord

CONTINUES = "ContinuedJobs"
"""A member of requests here alone: earlier jobs, what ended of whose children counts for it."""

_KINDS = "pipelines.backends.local.jobs.kinds"


class JobProgress(Protocol):
    """What a running job reports."""

    def entered(self, phase: JobPhase) -> None:
        """Record that a phase has begun."""

    def tick(self) -> None:
        """Look, not at every call, whether another process has asked for the job's end."""


@frozen
class ChildOrder:
    """A job that another one starts.

    Args:
        type: its step Type.
        number: counts the children of a job, from 1.
        name: its name.
        request: the request that creates it.
        results: members that its Describe has from the start.
        ended: called with its row when it has ended, in another thread.
    """

    type: str
    number: int
    name: str
    request: JsonObject
    results: JsonObject
    ended: Callable[[JobRecord], None]


class ChildJobs(Protocol):
    """The jobs that a job starts, and those of others like it."""

    def start(self, order: ChildOrder) -> JobRecord | None:
        """Create a job; None once the job service accepts no more."""

    def stop(self, job: JobRecord) -> None:
        """Ask one to end; nothing happens if it has."""

    def amend(self, job: JobRecord, results: JsonObject) -> JobRecord:
        """Add members to the Describe of one; return its row."""

    def logs(self, job: JobRecord) -> Path:
        """Return the folder of the logs of one that runs here."""

    def of(self, parent: str) -> list[JobRecord] | None:
        """Return the children of a job, as they are now; None where there is no such job."""


@frozen
class JobOrder:
    """A job to run.

    Args:
        identity: its name, its ARN and its folder.
        request: the request that creates it.
        settings: how this machine stands in for SageMaker.
        logs: an existing folder for its logs, one file `<host>.log` per host.
        stop: set when the job is to end.
        progress: what it reports to.
        children: the jobs that it starts; None outside the job service.
        cleaning: what is left to do once its end is known, such as removing its folders; None to
            do that before.
    """

    identity: JobIdentity
    request: JsonObject
    settings: LocalSettings
    logs: Path
    stop: threading.Event
    progress: JobProgress
    children: ChildJobs | None = None
    cleaning: ExitStack | None = None


class PreparesJob(Protocol):
    """Lays out the hosts of a job as they are when their container starts."""

    def __call__(
        self, order: JobOrder, most_hosts: int | None = None
    ) -> AbstractContextManager[tuple[LocalJob, ContainerCommand]]:
        """Lay out at most that many hosts.

        Raises:
            JobRefusedError: the job cannot run on this machine.
        """


@frozen
class JobKind:
    """One kind of job.

    Args:
        type: the step Type whose request creates it.
        run: runs it to its end; what it raises as a `PipelinesError` is the reason of a failure.
        describe: returns what its Describe has besides the members of every job.
        order: the order in which the service lists such jobs by default.
        prepared: lays out its hosts; None where no program of the user is started.
        hidden: members of the request that its Describe does not repeat.
        taken: what the service says of a name in use; `{arn}` stands for the job's.
        absent: what Describe says where there is none; `{name}` stands for its name.
        unstoppable: what Stop says there.
        missing: the code of both.
        listed: members that its entry in a list has besides those of every job.
        of_children: returns what its Describe has of the jobs that it started.
        children: the Type of these; None where it starts none.
        event: what its events call it; None for its Type's name.
        event_times: how the guide's events of such jobs write times: as text in ISO 8601, or as
            milliseconds, a number or a text.
    """

    type: StepType
    run: Callable[[JobOrder], JobOutcome]
    describe: Callable[[JobRecord], JsonObject]
    order: Literal["Ascending", "Descending"] = "Ascending"
    prepared: PreparesJob | None = None
    hidden: tuple[str, ...] = ("Tags",)
    listed: tuple[str, ...] = ()
    of_children: Callable[[JobRecord, Sequence[JobRecord]], JsonObject] | None = None
    children: str | None = None
    event: str | None = None
    event_times: Literal["iso", "number", "text"] = "iso"
    taken: str = (
        "Job name must be unique within an AWS account and region, and a job with this name already"
        " exists ({arn})"
    )
    absent: str = "Could not find requested job with name: {name}"
    unstoppable: str = "Could not find job to update with name: {name}"
    missing: ServiceErrorCode = "ValidationException"

    @property
    def noun(self) -> str:
        """What stands before its name in its ARN, as `training-job`."""
        return self.resource.noun

    @property
    def word(self) -> str:
        """The noun as members begin with it, as `Training` in `TrainingJobName`."""
        return str(self.resource.name).removesuffix("JobName")

    @property
    def resource(self) -> Resource:
        """What it is in SageMaker."""
        if self.type.resource is None:
            raise TypeError(f"the Type {self.type.name} creates no job")
        return self.type.resource


@functools.cache
def find_kind(type_name: str) -> JobKind | None:
    """Return the kind of job that a step Type creates; None if it creates none that runs here."""
    name = f"{_KINDS}.{module_name(type_name)}"
    if not type_name.isidentifier() or importlib.util.find_spec(name) is None:
        return None
    kind: JobKind = importlib.import_module(name).KIND
    return kind


def require_kind(type_name: str) -> JobKind:
    """Return the kind of job of a Type that is known to have one."""
    kind = find_kind(type_name)
    if kind is None:
        raise TypeError(f"the Type {type_name} creates no job")
    return kind
