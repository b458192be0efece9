"""The jobs that one job starts: created, found and stopped through the job service.

The children of a step's job have their logs beside its own, `<attempt>-<number>/`; those of a
client's job are jobs of clients as well.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.jobs.kind import require_kind
from pipelines.backends.local.kept import JOB_FILE
from pipelines.files import put

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.backends.local.jobs.kind import ChildOrder, JobKind
    from pipelines.backends.local.jobs.running import JobPlace
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject


class Jobs(Protocol):
    """What the job service does for a job that starts others."""

    def client_place(self, kind: JobKind, name: str) -> JobPlace:
        """Return where the job of a client runs."""

    def run_child(
        self, kind: JobKind, order: ChildOrder, place: JobPlace | None
    ) -> JobRecord | None:
        """Create a job for another one; None once no more are accepted."""

    def find(self, kind: JobKind, name: str) -> JobRecord | None:
        """Find a job; one that nobody runs any more has failed."""

    def children(self, record: JobRecord) -> list[JobRecord]:
        """Return the jobs that a job has started, as they are now."""

    def stop(self, record: JobRecord) -> None:
        """Ask a job to end.

        Raises:
            ServiceError: ValidationException: it has ended.
        """

    def amend(self, record: JobRecord, results: JsonObject) -> JobRecord:
        """Add members to the Describe of a job; return its row."""


class ChildrenOf:
    """The children of one job.

    Args:
        jobs: the job service.
        parent: the job.
        place: where the job of a step runs; None for that of a client.
    """

    def __init__(self, jobs: Jobs, parent: JobRecord, place: JobPlace | None) -> None:
        self._jobs = jobs
        self._parent = parent
        self._place = place
        self._logs: dict[str, Path] = {}

    def start(self, order: ChildOrder) -> JobRecord | None:
        """Create a job; None once the job service accepts no more."""
        kind = require_kind(order.type)
        place = self._jobs.client_place(kind, order.name) if self._place is None else None
        if self._place is not None:
            logs = self._place.logs.with_name(f"{self._place.logs.name}-{order.number:03}")
            logs.mkdir(parents=True, exist_ok=True)
            put(logs / JOB_FILE, order.name.encode())
            stop = threading.Event()
            place = replace(self._place, folder=order.name, logs=logs, stop=stop)
        if place is not None:
            self._logs[order.name] = place.logs
        return self._jobs.run_child(kind, order, place)

    def stop(self, job: JobRecord) -> None:
        """Ask one to end; nothing happens if it has."""
        with suppress(ServiceError):
            self._jobs.stop(job)

    def amend(self, job: JobRecord, results: JsonObject) -> JobRecord:
        """Add members to the Describe of one; return its row."""
        return self._jobs.amend(job, results)

    def logs(self, job: JobRecord) -> Path:
        """Return the folder of the logs of one that runs here."""
        return self._logs[job.name]

    def of(self, parent: str) -> list[JobRecord] | None:
        """Return the children of a job, as they are now; None where there is no such job."""
        found = self._jobs.find(require_kind(self._parent.type), parent)
        return None if found is None else self._jobs.children(found)
