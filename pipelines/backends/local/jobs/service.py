"""The job service: creates, describes, lists and stops jobs, over the table `jobs`.

A job runs in a thread of the process that created it, `serve` or `run`, and ends with it at the
latest. One whose process was killed is found by its owner's lock, and is then Failed.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.jobs.children import ChildrenOf
from pipelines.backends.local.jobs.kind import CONTINUES, require_kind
from pipelines.backends.local.jobs.owners import JobOwner
from pipelines.backends.local.jobs.running import JobPlace, RunningJob
from pipelines.backends.local.jobs.states import JobOutcome, JobState, JobStateError, JobStatus
from pipelines.backends.local.kept import JOB_FILE, client_logs
from pipelines.backends.local.state.jobs import JobRecord
from pipelines.files import put
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.kind import ChildOrder, JobKind
    from pipelines.backends.local.operations.context import OperationContext
    from pipelines.backends.local.settings import LocalApi

_LOST = (
    "InternalServerError: the process that ran the job was killed, and the job with it;"
    " create the job again"
)


def _has_run(record: JobRecord) -> bool:
    """Return whether a job ended by itself: nobody has stopped it, and its process has not died."""
    state = record.state
    lost = (state.reason or "").startswith("InternalServerError")
    return state.status is JobStatus.COMPLETED or (state.status is JobStatus.FAILED and not lost)


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
        self._ending: list[RunningJob] = []
        self._lock = threading.RLock()  # a job that cannot start ends while it is created
        self._closed = False
        self.api: LocalApi | None = None

    def create(
        self,
        kind: JobKind,
        name: str,
        request: JsonObject,
        place: JobPlace | None = None,
        child: ChildOrder | None = None,
    ) -> RunningJob:
        """Create a job and start it.

        Args:
            kind: its kind.
            name: its name.
            request: the request, which the service would accept.
            place: where it runs; None for the job of a client.
            child: what the job that starts it says of it; None for any other.

        Raises:
            ServiceError: ResourceInUse: there is one of this name.
        """
        given = place
        place = place or self.client_place(kind, name)
        arn = self._context.arn(f"{kind.noun}/{name}")
        state = JobState.new(self._context.now())
        with self._lock:  # a job that is recorded as open, and not known here, counts as lost
            if self._closed:
                raise ServiceError("ThrottlingException", "the local SageMaker is stopping")
            results = child.results if child is not None else {}
            record = JobRecord(kind.type.name, name, arn, state, request, self._owner.name, results)
            if not self._store.add(record):
                raise ServiceError("ResourceInUse", kind.taken.format(arn=arn))
            job = RunningJob(kind, record, self._store, self._context.now)
            self._running[kind.type.name, name] = job
            children = ChildrenOf(self, record, given)
            job.start(place, children, partial(self._ended, child))
        return job

    def run_child(
        self, kind: JobKind, order: ChildOrder, place: JobPlace | None
    ) -> JobRecord | None:
        """Create a job for another one; None once no more are accepted."""
        with self._lock:
            if self._closed:
                return None
            return self.create(kind, order.name, order.request, place, order).record

    def children(self, record: JobRecord) -> list[JobRecord]:
        """Return the jobs that a job has started, in that order, as they are now.

        Those that an earlier job had started, and that ended by themselves, come first.
        """
        kind = require_kind(record.type)
        if kind.children is None:
            return []
        earlier: list[str] = record.request.get(CONTINUES) or []
        found = [one for name in earlier for one in self._started_by(kind, name) if _has_run(one)]
        return [*found, *self._started_by(kind, record.name)]

    def _started_by(self, kind: JobKind, name: str) -> list[JobRecord]:
        arn = self._context.arn(f"{kind.noun}/{name}")
        found = self._store.named(str(kind.children), f"{name}-")
        mine = [self._recovered(one) for one in found if arn in one.results.values()]
        return sorted(mine, key=lambda one: (one.created, one.name))

    def amend(self, record: JobRecord, results: JsonObject) -> JobRecord:
        """Add members to the Describe of a job; return its row."""
        return self._store.change(record, lambda state: state, results)

    def of_children(self, kind: JobKind, record: JobRecord) -> JsonObject:
        """Return what the Describe of a job has of those that it started."""
        if kind.of_children is None:
            return {}
        return kind.of_children(record, self.children(record))

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

    def settle(self) -> None:
        """Wait until what the jobs that have ended left on the disk is removed."""
        with self._lock:
            ending = [*self._ending]
        for job in ending:
            job.join()

    def close(self) -> None:
        """Stop the jobs that run here, wait until nothing of them is left, and accept no more."""
        with self._lock:
            self._closed = True
        self.stop_all()
        self.settle()
        self._owner.close()

    def _ended(self, child: ChildOrder | None, record: JobRecord) -> None:
        with self._lock:
            job = self._running.pop((record.type, record.name), None)
            ending = [*self._ending, *([] if job is None else [job])]
            self._ending = [one for one in ending if one.is_running]
            if child is None:  # nothing that the end of a child lets start is still to come
                for one in self._ending:
                    one.clear_soon()
        if child is not None:
            child.ended(record)

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

    def client_place(self, kind: JobKind, name: str) -> JobPlace:
        """Return where the job of a client runs."""
        settings = replace(self._context.settings, api=self.api or self._context.settings.api)
        folder = f"{kind.noun}-{name}"
        logs = client_logs(settings.home) / kind.noun / name / "1"
        logs.mkdir(parents=True, exist_ok=True)
        put(logs / JOB_FILE, folder.encode())
        return JobPlace(settings, folder, logs, threading.Event())
