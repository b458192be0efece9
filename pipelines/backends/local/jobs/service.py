"""The job service: creates, describes, lists and stops jobs, over the table `jobs`.

A job runs in a thread of the process that created it, `serve` or `run`, and ends with it at the
latest. One whose process was killed is found by its owner's lock, and is then Failed.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.jobs.owners import JobOwner
from pipelines.backends.local.jobs.running import RunningJob
from pipelines.backends.local.jobs.states import JobOutcome, JobState, JobStateError, JobStatus
from pipelines.backends.local.kept import JOB_FILE, client_logs
from pipelines.backends.local.state.jobs import JobRecord
from pipelines.files import put
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import LocalApi, LocalSettings
    from pipelines.backends.local.jobs.kind import JobKind
    from pipelines.backends.local.operations.context import OperationContext

_LOST = (
    "InternalServerError: the process that ran the job was killed, and the job with it;"
    " create the job again"
)


@frozen
class JobPlace:
    """Where a job runs.

    Args:
        settings: how this machine stands in for SageMaker.
        folder: the name of its folder in `.pipelines/jobs`.
        logs: an existing folder for its logs.
        stop: set when the job is to end.
    """

    settings: LocalSettings
    folder: str
    logs: Path
    stop: threading.Event


class JobService:
    """The jobs of one `.pipelines` folder, and those of them that this process runs.

    Args:
        context: state, account and time.

    Attributes:
        api: what the jobs of clients call; None where nothing is served.
    """

    def __init__(self, context: OperationContext) -> None:
        self._context = context
        self._store = context.state.jobs
        self._owner = JobOwner(context.settings.home)
        self._running: dict[tuple[str, str], RunningJob] = {}
        self._lock = threading.RLock()  # a job that cannot start ends while it is created
        self._closed = False
        self.api: LocalApi | None = None

    def create(
        self, kind: JobKind, name: str, request: JsonObject, place: JobPlace | None = None
    ) -> RunningJob:
        """Create a job and start it.

        Args:
            kind: its kind.
            name: its name.
            request: the request, which the service would accept.
            place: where it runs; None for the job of a client.

        Raises:
            ServiceError: ResourceInUse: there is one of this name.
        """
        place = place or self._client_place(kind, name)
        arn = self._context.arn(f"{kind.noun}/{name}")
        state = JobState.new(self._context.now())
        with self._lock:  # a job that is recorded as open, and not known here, counts as lost
            if self._closed:
                raise ServiceError("ThrottlingException", "the local SageMaker is stopping")
            record = JobRecord(kind.type.name, name, arn, state, request, self._owner.name)
            if not self._store.add(record):
                raise ServiceError("ResourceInUse", kind.taken.format(arn=arn))
            job = RunningJob(kind, record, self._store, self._context.now)
            self._running[kind.type.name, name] = job
            job.start(place, self._forget)
        return job

    def find(self, kind: JobKind, name: str) -> JobRecord | None:
        """Find a job; one that nobody runs any more has failed."""
        record = self._store.find(kind.type.name, name)
        return None if record is None else self._recovered(record)

    def all(self, kind: JobKind) -> list[JobRecord]:
        """List the jobs of a kind."""
        return [self._recovered(record) for record in self._store.all(kind.type.name)]

    def stop(self, record: JobRecord) -> None:
        """Ask a job to end; the process that runs it sends it SIGTERM.

        Raises:
            ServiceError: ValidationException: it has ended.
        """
        now = self._context.now()
        try:
            self._store.change(record, lambda state: state.stopping(now))
        except JobStateError:
            status = self._store.status(record)
            noun = record.arn.split(":")[5].partition("/")[0].replace("-", " ")
            raise invalid(
                f"The request was rejected because the {noun} is in status {status}."
            ) from None
        with self._lock:
            job = self._running.get((record.type, record.name))
        if job is not None:
            job.stop()

    def recover(self) -> None:
        """Record the failure of every job whose process was killed."""
        for record in self._store.open():
            self._recovered(record)
        self._owner.forget_dead()

    def stop_all(self) -> None:
        """Stop the jobs that run here and wait for them."""
        with self._lock:
            jobs = [*self._running.values()]
        for job in jobs:
            with suppress(ServiceError):  # it has just ended
                self.stop(job.record)
        for job in jobs:
            job.join()

    def close(self) -> None:
        """Stop the jobs that run here, and accept no more."""
        with self._lock:
            self._closed = True
        self.stop_all()
        self._owner.close()

    def _forget(self, record: JobRecord) -> None:
        with self._lock:
            self._running.pop((record.type, record.name), None)

    def _recovered(self, record: JobRecord) -> JobRecord:
        if not record.state.is_open or self._is_running(record):
            return record
        now = self._context.now()
        end = JobOutcome(JobStatus.FAILED, _LOST)

        def lost(state: JobState) -> JobState:
            return state.finished(end, now) if state.is_open else state

        return self._store.change(record, lost)

    def _is_running(self, record: JobRecord) -> bool:
        if not self._owner.is_self(record.owner):
            return self._owner.is_alive(record.owner)
        with self._lock:  # where it has just ended, the row as it is now says so
            return (record.type, record.name) in self._running

    def _client_place(self, kind: JobKind, name: str) -> JobPlace:
        settings = replace(self._context.settings, api=self.api or self._context.settings.api)
        folder = f"{kind.noun}-{name}"
        logs = client_logs(settings.home) / kind.noun / name / "1"
        logs.mkdir(parents=True, exist_ok=True)
        put(logs / JOB_FILE, folder.encode())
        return JobPlace(settings, folder, logs, threading.Event())
