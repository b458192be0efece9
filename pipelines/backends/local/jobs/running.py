"""One job in a thread of this process: run, recorded at every phase, waited for."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.capacity import Allocation, allocate
from pipelines.backends.local.jobs.description import described
from pipelines.backends.local.jobs.kind import JobOrder
from pipelines.backends.local.jobs.spec import REASON_LENGTH, JobIdentity, JobRefusedError
from pipelines.backends.local.jobs.states import JobOutcome, JobPhase, JobStatus
from pipelines.errors import PipelinesError, from_outside
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.backends.local.jobs.kind import ChildJobs, JobKind
    from pipelines.backends.local.settings import LocalSettings
    from pipelines.backends.local.state.jobs import JobRecord, JobStore
    from pipelines.json_types import JsonObject

_POLL_SECONDS = 0.5
"""How often a job looks whether another process has asked for its end."""

_FIRST_SECONDS = 0.1
"""How long the removal of the folders of a job that another one has started waits at most: what its
end lets start comes first, since file systems take long to remove many small folders."""

_NO_THREAD = "InternalServerError: this machine cannot start another thread"
_log = logging.getLogger("pipelines.api")


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


class RunningJob:
    """A job from its creation to its end.

    Args:
        kind: its kind.
        record: its row, as it was created.
        store: where its state is recorded.
        now: returns seconds since 1970.

    Attributes:
        record: its row, as this process has written it last.
    """

    def __init__(
        self, kind: JobKind, record: JobRecord, store: JobStore, now: Callable[[], float]
    ) -> None:
        self.record = record
        self._kind = kind
        self._store = store
        self._now = now
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._children: ChildJobs | None = None
        self._end: JobOutcome | None = None
        self._error: BaseException | None = None
        self._is_recorded = threading.Event()
        self._may_clear = threading.Event()
        self._next_look = time.monotonic() + _POLL_SECONDS

    def start(
        self, place: JobPlace, children: ChildJobs, ended: Callable[[JobRecord], None]
    ) -> None:
        """Run it in a thread of its own.

        Args:
            place: where.
            children: what it may start jobs by.
            ended: called with its row when it has ended.
        """
        self._stop = place.stop
        self._children = children
        target, arguments = self._run, (place, ended)
        thread = threading.Thread(target=target, args=arguments, name=self.record.arn, daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._finish(JobOutcome(JobStatus.FAILED, _NO_THREAD), ended)
        else:
            self._thread = thread

    def stop(self) -> None:
        """Ask it to end."""
        self._stop.set()

    def join(self) -> None:
        """Wait until nothing of it runs."""
        self.clear_soon()
        if self._thread is not None:
            self._thread.join()

    def clear_soon(self) -> None:
        """Remove its folders without waiting for what its end lets start."""
        self._may_clear.set()

    @property
    def is_running(self) -> bool:
        """Whether anything of it runs: also what is removed once its end is known."""
        return self._thread is not None and self._thread.is_alive()

    def wait(self) -> JobOutcome:
        """Wait for its end.

        Raises:
            Exception: what ended it, if that was a bug of ours or the machine's fault.
        """
        self._is_recorded.wait()
        if self._error is not None:
            raise self._error
        if self._end is None:
            raise RuntimeError(f"{self.record.arn} has no end")
        return self._end

    def described(self) -> JsonObject:
        """Return what its Describe does."""
        return described(self._kind, self.record)

    def entered(self, phase: JobPhase) -> None:
        """Record that a phase has begun."""
        now = self._now()
        self.record = self._store.change(self.record, lambda state: state.entered(phase, now))

    def tick(self) -> None:
        """Look, not at every call, whether another process has asked for its end."""
        moment = time.monotonic()
        if moment >= self._next_look and not self._stop.is_set():
            self._next_look = moment + _POLL_SECONDS
            if self._store.status(self.record) is JobStatus.STOPPING:
                self._stop.set()

    def _run(self, place: JobPlace, ended: Callable[[JobRecord], None]) -> None:
        try:
            with ExitStack() as cleaning:
                self._finish(self._outcome(place, cleaning), ended)
                self._may_clear.wait(_FIRST_SECONDS)
        except OSError:
            _log.exception("what %s has left cannot be removed", self.record.arn)

    def _finish(self, end: JobOutcome, ended: Callable[[JobRecord], None]) -> None:
        self._end = end
        try:
            now = self._now()
            self.record = self._store.change(
                self.record, lambda state: state.finished(end, now), end.results
            )
        except Exception as error:  # noqa: BLE001 - the outermost frame of this thread
            self._error = self._error or error
            _log.exception("the end of %s cannot be recorded", self.record.arn)
        finally:
            ended(self.record)
            self._is_recorded.set()

    def _allocated(self, settings: LocalSettings) -> Allocation:
        """Take the instances of the job; those of a job that only starts others are theirs."""
        if self._kind.children is not None:
            return Allocation(self.record.request, {})
        taken = allocate(self._kind.type, self.record.request, settings)
        if taken.results:
            self.record = self._store.change(self.record, lambda state: state, taken.results)
        return taken

    def _outcome(self, place: JobPlace, cleaning: ExitStack) -> JobOutcome:
        record = self.record
        identity = JobIdentity(record.name, record.arn, place.folder)
        try:
            taken = self._allocated(place.settings)
            order = JobOrder(
                identity,
                taken.request,
                place.settings,
                place.logs,
                place.stop,
                self,
                self._children,
                cleaning,
            )
            end = self._kind.run(order)
            return replace(end, notes=(*taken.notes, *end.notes))
        except JobRefusedError as refused:
            return JobOutcome(
                JobStatus.FAILED, refusal_reason(refused), fault=refused.fault, notes=refused.notes
            )
        except PipelinesError as problem:
            return JobOutcome(JobStatus.FAILED, refusal_reason(problem))
        except Exception as error:  # noqa: BLE001 - whatever ends a job ends that job alone
            self._error = error
            if not isinstance(error, OSError) or from_outside(error) is None:
                _log.exception("internal error while running %s", record.arn)
            return JobOutcome(JobStatus.FAILED, _internal(error))


def refusal_reason(problem: PipelinesError) -> str:
    """Write the reason of a job that was not started."""
    text = f"{problem.problem}; {problem.remedy}" if problem.remedy else problem.problem
    return text[:REASON_LENGTH]


def _internal(error: Exception) -> str:
    outside = from_outside(error) if isinstance(error, OSError) else None
    text = (
        outside or f"this is a bug in pipelines, please report it: {type(error).__name__}: {error}"
    )
    return f"InternalServerError: {text}"[:REASON_LENGTH]
