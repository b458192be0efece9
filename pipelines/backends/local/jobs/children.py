"""The jobs that one job starts: created, found and stopped through the job service.

The children of a step's job have their logs beside its own, `<attempt>-<number>/`; those of a
client's job are jobs of clients as well.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.jobs.kind import require_kind
from pipelines.backends.local.kept import JOB_FILE
from pipelines.files import put

if TYPE_CHECKING:
    from pathlib import Path

    from pipelines.backends.local.jobs.kind import ChildOrder
    from pipelines.backends.local.jobs.service import JobPlace, JobService
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject


class ChildrenOf:
    """The children of one job.

    Args:
        service: the job service.
        parent: the job.
        place: where the job of a step runs; None for that of a client.
    """

    def __init__(self, service: JobService, parent: JobRecord, place: JobPlace | None) -> None:
        self._service = service
        self._parent = parent
        self._place = place
        self._logs: dict[str, Path] = {}

    def start(self, order: ChildOrder) -> JobRecord | None:
        """Create a job; None once the job service accepts no more."""
        kind = require_kind(order.type)
        place = self._service.client_place(kind, order.name) if self._place is None else None
        if self._place is not None:
            logs = self._place.logs.with_name(f"{self._place.logs.name}-{order.number:03}")
            logs.mkdir(parents=True, exist_ok=True)
            put(logs / JOB_FILE, order.name.encode())
            stop = threading.Event()
            place = replace(self._place, folder=order.name, logs=logs, stop=stop)
        if place is not None:
            self._logs[order.name] = place.logs
        return self._service.run_child(kind, order, place)

    def stop(self, job: JobRecord) -> None:
        """Ask one to end; nothing happens if it has."""
        with suppress(ServiceError):
            self._service.stop(job)

    def amend(self, job: JobRecord, results: JsonObject) -> JobRecord:
        """Add members to the Describe of one; return its row."""
        return self._service.amend(job, results)

    def logs(self, job: JobRecord) -> Path:
        """Return the folder of the logs of one that runs here."""
        return self._logs[job.name]

    def of(self, parent: str) -> list[JobRecord] | None:
        """Return the children of a job, as they are now; None where there is no such job."""
        found = self._service.find(require_kind(self._parent.type), parent)
        return None if found is None else self._service.children(found)
