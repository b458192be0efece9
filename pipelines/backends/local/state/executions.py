"""Executions and their steps: the tables `executions` and `steps`."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field, fields
from itertools import count
from typing import TypeAlias

from pipelines.backends.local.state.database import Database, dumps, from_row, upsert
from pipelines.backends.local.state.paging import PageQuery
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

WrittenFiles: TypeAlias = Mapping[str, Mapping[str, Sequence[float]]]


@frozen
class ExecutionRecord:
    """One execution; times are seconds since 1970.

    Args:
        id: 12 lower-case letters and digits.
        arn: its ARN.
        pipeline: the pipeline's name.
        status: its status.
        created: when it was started.
        modified: when its status changed last.
        definition: the definition JSON it runs.
        parameters: every parameter with its typed value.
        request: the members of StartPipelineExecution that Describe returns.
        failure: the FailureReason.
        token: the ClientRequestToken it was started with.
    """

    id: str
    arn: str
    pipeline: str
    status: ExecutionStatus
    created: float
    modified: float
    definition: str
    parameters: Mapping[str, str | int | float | bool]
    request: JsonObject
    failure: str | None = None
    token: str | None = None


@frozen
class ExecutionSummary:
    """What is listed of an execution: see `ExecutionRecord`."""

    arn: str
    status: ExecutionStatus
    created: float
    request: JsonObject
    failure: str | None


@frozen
class StepRecord:
    """One step of one execution; a step that never started has none.

    Args:
        execution: the execution's id.
        name: the step's name.
        type: its Type.
        status: its status.
        started: when its first attempt began, seconds since 1970.
        ended: when it ended.
        attempts: how often its executor was called.
        properties: the Describe response.
        metadata: its entry in ListPipelineExecutionSteps.
        outputs: the S3 URIs of its properties that held an object when it succeeded, each with
            the files there, below it: size and time of modification. An early version recorded
            the URIs alone.
        reason: why it failed.
        cache_key: the hash of its key attributes; None if it is not cached.
        cached_from: the ARN of the execution whose result it reuses from the cache.
        reused_from: the ARN of the execution whose result selective execution reuses.
    """

    execution: str
    name: str
    type: str
    status: StepStatus
    started: float
    ended: float | None = None
    attempts: int = 0
    properties: JsonObject = field(default_factory=dict)
    metadata: Mapping[str, JsonObject] = field(default_factory=dict)
    outputs: WrittenFiles = field(default_factory=dict)
    reason: str | None = None
    cache_key: str | None = None
    cached_from: str | None = None
    reused_from: str | None = None

    @property
    def outcome(self) -> str | None:
        """The branch that a condition took."""
        return self.properties.get("Outcome")


_STEP_COLUMNS = tuple(column.name for column in fields(StepRecord))
_EXECUTION_COLUMNS = tuple(column.name for column in fields(ExecutionRecord))
_STEP_JSON = frozenset({"properties", "metadata", "outputs"})
_EXECUTION_JSON = frozenset({"parameters", "request"})


_SAVE_STEP = upsert("steps", _STEP_COLUMNS, "execution, name")
_SAVE_EXECUTION = upsert("executions", _EXECUTION_COLUMNS, "id")


class ExecutionStore:
    """Reads and writes executions and steps; each write is one commit."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: ExecutionRecord) -> ExecutionRecord:
        """Add an execution, or return the one that was started with the same token."""
        with self._database.transaction() as connection:
            if record.token is not None:
                row = connection.execute(
                    "SELECT * FROM executions WHERE token = ?", (record.token,)
                ).fetchone()
                if row is not None:
                    return _execution(row)
            connection.execute(
                _SAVE_EXECUTION, _values(record, _EXECUTION_COLUMNS, _EXECUTION_JSON)
            )
        return record

    def save(self, record: ExecutionRecord) -> None:
        """Write an execution as it is now."""
        with self._database.transaction() as connection:
            connection.execute(
                _SAVE_EXECUTION, _values(record, _EXECUTION_COLUMNS, _EXECUTION_JSON)
            )

    def find(self, arn_or_id: str) -> ExecutionRecord | None:
        """Find an execution by its ARN or id."""
        rows = self._database.read("SELECT * FROM executions WHERE arn = ?1 OR id = ?1", arn_or_id)
        return _execution(rows[0]) if rows else None

    def listed(self, query: PageQuery) -> list[ExecutionSummary]:
        """List executions without what they ran and were given."""
        select, values = query.select("arn, status, created, request, failure", "executions")
        return [_summary(row) for row in self._database.read(select, *values)]

    def last_started(self, pipeline: str) -> float | None:
        """Return when a pipeline's latest execution was started."""
        query = "SELECT max(created) AS latest FROM executions WHERE pipeline = ?"
        latest: float | None = self._database.read(query, pipeline)[0]["latest"]
        return latest

    def last_of_version(self, pipeline: str, version: int) -> str | None:
        """Return the ARN of the latest execution of a version of a pipeline."""
        query = (
            "SELECT arn FROM executions WHERE pipeline = ? "
            "AND json_extract(request, '$.PipelineVersionId') = ? "
            "ORDER BY created DESC, rowid DESC LIMIT 1"
        )
        rows = self._database.read(query, pipeline, version)
        return rows[0]["arn"] if rows else None

    def status(self, execution: str) -> ExecutionStatus:
        """Read the status of an execution."""
        (row,) = self._database.read("SELECT status FROM executions WHERE id = ?", execution)
        return ExecutionStatus(row["status"])

    def move(
        self, execution: str, status: ExecutionStatus, now: float, failure: str | None = None
    ) -> None:
        """Record an execution's new status, with the reason if it failed."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE executions SET status = ?, failure = ?, modified = ? WHERE id = ?",
                (status, failure, now, execution),
            )

    def ask_to_stop(self, execution: str, now: float) -> None:
        """Set an execution and its running steps to Stopping, unless it has ended."""
        with self._database.transaction() as connection:
            asked = connection.execute(
                "UPDATE executions SET status = 'Stopping', modified = ? "
                "WHERE id = ? AND status IN ('Executing', 'Stopping')",
                (now, execution),
            )
            if asked.rowcount:
                connection.execute(
                    "UPDATE steps SET status = 'Stopping' "
                    "WHERE execution = ? AND status IN ('Starting', 'Executing')",
                    (execution,),
                )

    def save_step(self, record: StepRecord) -> None:
        """Write a step as it is now."""
        with self._database.transaction() as connection:
            connection.execute(_SAVE_STEP, _values(record, _STEP_COLUMNS, _STEP_JSON))

    def take(self, record: StepRecord) -> bool:
        """Write a step that takes its result from the cache; False where that was just pruned."""
        query = "SELECT 1 FROM executions WHERE arn = ?"
        with self._database.transaction() as connection:
            if connection.execute(query, (record.cached_from,)).fetchone() is None:
                return False
            self.save_step(record)
        return True

    def steps(self, execution: str) -> list[StepRecord]:
        """List the steps of an execution in the order in which they started."""
        rows = self._database.read(
            "SELECT * FROM steps WHERE execution = ? ORDER BY rowid", execution
        )
        return [_step(row) for row in rows]

    def successes(
        self, pipeline: str, step: str, cache_key: str
    ) -> Iterator[tuple[StepRecord, str]]:
        """Yield real runs of a step by cache key, with their executions' ARNs, newest first.

        One after the other: of a thousand results the newest one is almost always reused.
        """
        query = (
            "SELECT steps.*, executions.arn AS execution_arn FROM steps "
            "JOIN executions ON executions.id = steps.execution "
            "WHERE steps.cache_key = ? AND executions.pipeline = ? AND steps.name = ? "
            "AND steps.status = 'Succeeded' AND cached_from IS NULL AND reused_from IS NULL "
            "ORDER BY steps.ended DESC, steps.rowid DESC LIMIT 1 OFFSET ?"
        )
        for number in count():
            rows = self._database.read(query, cache_key, pipeline, step, number)
            if not rows:
                return
            yield _step(rows[0]), rows[0]["execution_arn"]


def _values(
    record: StepRecord | ExecutionRecord, columns: tuple[str, ...], encoded: frozenset[str]
) -> list[Json]:
    return [
        dumps(getattr(record, column)) if column in encoded else getattr(record, column)
        for column in columns
    ]


@from_row
def _step(row: sqlite3.Row) -> StepRecord:
    values = _decoded(row, _STEP_COLUMNS, _STEP_JSON)
    values["status"] = StepStatus(values["status"])
    if isinstance(values["outputs"], list):
        values["outputs"] = {uri: {} for uri in values["outputs"]}
    return StepRecord(**values)


@from_row
def _summary(row: sqlite3.Row) -> ExecutionSummary:
    status, request = ExecutionStatus(row["status"]), json.loads(row["request"])
    return ExecutionSummary(row["arn"], status, row["created"], request, row["failure"])


@from_row
def _execution(row: sqlite3.Row) -> ExecutionRecord:
    values = _decoded(row, _EXECUTION_COLUMNS, _EXECUTION_JSON)
    values["status"] = ExecutionStatus(values["status"])
    return ExecutionRecord(**values)


def _decoded(
    row: sqlite3.Row, columns: tuple[str, ...], encoded: frozenset[str]
) -> dict[str, Json]:
    return {
        column: json.loads(row[column]) if column in encoded else row[column] for column in columns
    }
