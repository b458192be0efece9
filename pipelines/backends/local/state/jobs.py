"""Training, processing and transform jobs: the table `jobs`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from dataclasses import field, replace

from pipelines.backends.local.jobs.states import JobState, JobStatus, Transition
from pipelines.backends.local.state.database import Database, dumps, from_row, upsert
from pipelines.backends.local.state.resources import TagStore
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_COLUMNS = (
    *("type", "name", "arn", "status", "created", "modified", "started", "ended", "reason"),
    *("owner", "transitions", "request", "results"),
)
_SAVE = upsert("jobs", _COLUMNS, "type, name")


@frozen
class JobRecord:
    """One job.

    Args:
        type: the step Type that such a job is of, as `Training`.
        name: its name, unique among the jobs of its Type.
        arn: its ARN.
        state: its state.
        request: the request that created it.
        owner: the process that runs it: see `jobs/owners.py`.
        results: members that its Describe has besides those of request and state.
    """

    type: str
    name: str
    arn: str
    state: JobState
    request: JsonObject
    owner: str
    results: JsonObject = field(default_factory=dict)

    @property
    def created(self) -> float:
        """When it was created, in seconds since 1970."""
        return self.state.created


class JobStore:
    """Reads and writes jobs; each write is one commit."""

    def __init__(self, database: Database, tags: TagStore) -> None:
        self._database = database
        self._tags = tags

    def add(self, job: JobRecord) -> bool:
        """Add a job with the tags of its request; return False when the name is taken."""
        with self._database.transaction():
            if self.find(job.type, job.name) is not None:
                return False
            self._save(job)
            tags = job.request.get("Tags")
            if tags:
                self._tags.add(job.arn, tags)
        return True

    def change(
        self,
        job: JobRecord,
        change: Callable[[JobState], JobState],
        results: JsonObject | None = None,
    ) -> JobRecord:
        """Change the state of a job, as it is now, and add to its results."""
        with self._database.transaction():
            current = self.find(job.type, job.name) or job
            merged = {**current.results, **(results or {})}
            changed = replace(current, state=change(current.state), results=merged)
            if changed != current:
                self._save(changed)
        return changed

    def find(self, type_name: str, name: str) -> JobRecord | None:
        """Find a job by its name."""
        query = "SELECT * FROM jobs WHERE type = ? AND name = ?"
        rows = self._database.read(query, type_name, name)
        return _job(rows[0]) if rows else None

    def status(self, job: JobRecord) -> JobStatus:
        """Read the status of a job."""
        query = "SELECT status FROM jobs WHERE type = ? AND name = ?"
        (row,) = self._database.read(query, job.type, job.name)
        return JobStatus(row["status"])

    def all(self, type_name: str) -> list[JobRecord]:
        """List the jobs of a Type."""
        return [*map(_job, self._database.read("SELECT * FROM jobs WHERE type = ?", type_name))]

    def named(self, type_name: str, beginning: str) -> list[JobRecord]:
        """List the jobs of a Type whose names begin with a text."""
        query = "SELECT * FROM jobs WHERE type = ? AND name >= ? AND name < ?"
        end = f"{beginning[:-1]}{chr(ord(beginning[-1]) + 1)}"
        return [*map(_job, self._database.read(query, type_name, beginning, end))]

    def open(self) -> list[JobRecord]:
        """List the jobs that have not ended, of every Type."""
        query = "SELECT * FROM jobs WHERE status IN ('InProgress', 'Stopping')"
        return [*map(_job, self._database.read(query))]

    def _save(self, job: JobRecord) -> None:
        state = job.state
        with self._database.transaction() as connection:
            connection.execute(
                _SAVE,
                (
                    *(job.type, job.name, job.arn, state.status),
                    *(state.created, state.modified, state.started, state.ended, state.reason),
                    *(job.owner, _transitions(state.transitions)),
                    *(dumps(job.request), dumps(job.results)),
                ),
            )


def _transitions(transitions: Iterable[Transition]) -> str:
    return dumps([[one.status, one.started, one.ended] for one in transitions])


def job_of(row: Mapping[str, Json] | sqlite3.Row) -> JobRecord:
    """Read a job from its row, or from what a change recorded of it."""
    state = JobState(
        status=JobStatus(row["status"]),
        transitions=tuple(Transition(*one) for one in json.loads(row["transitions"])),
        created=row["created"],
        modified=row["modified"],
        started=row["started"],
        ended=row["ended"],
        reason=row["reason"],
    )
    request, results = json.loads(row["request"]), json.loads(row["results"])
    return JobRecord(row["type"], row["name"], row["arn"], state, request, row["owner"], results)


_job = from_row(job_of)
