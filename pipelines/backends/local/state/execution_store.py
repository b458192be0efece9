"""Executions and their steps: the tables `executions` and `steps`."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import fields

from pipelines.backends.local.state.database import Database, dumps
from pipelines.backends.local.state.records import ExecutionRecord, StepRecord
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.json_types import Json

_STEP_COLUMNS = tuple(field.name for field in fields(StepRecord))
_EXECUTION_COLUMNS = tuple(field.name for field in fields(ExecutionRecord))
_STEP_JSON = frozenset({"properties", "metadata", "outputs"})
_EXECUTION_JSON = frozenset({"parameters", "request"})


def _upsert(table: str, columns: tuple[str, ...], keys: str) -> str:
    """Write one row; an update keeps its position, so rows list in order of their first write."""
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
    holes = ", ".join("?" * len(columns))
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({holes}) "  # noqa: S608 - our own names
        f"ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    )


_SAVE_STEP = _upsert("steps", _STEP_COLUMNS, "execution, name")
_SAVE_EXECUTION = _upsert("executions", _EXECUTION_COLUMNS, "id")


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

    def of_pipeline(self, pipeline: str) -> list[ExecutionRecord]:
        """List a pipeline's executions, oldest first."""
        rows = self._database.read(
            "SELECT * FROM executions WHERE pipeline = ? ORDER BY created, rowid", pipeline
        )
        return [_execution(row) for row in rows]

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

    def steps(self, execution: str) -> list[StepRecord]:
        """List the steps of an execution in the order in which they started."""
        rows = self._database.read(
            "SELECT * FROM steps WHERE execution = ? ORDER BY rowid", execution
        )
        return [_step(row) for row in rows]

    def successes(self, pipeline: str, step: str, cache_key: str) -> list[tuple[StepRecord, str]]:
        """List real runs of a step by cache key, with their executions' ARNs, newest first."""
        rows = self._database.read(
            "SELECT steps.*, executions.arn AS execution_arn FROM steps "
            "JOIN executions ON executions.id = steps.execution "
            "WHERE steps.cache_key = ? AND executions.pipeline = ? AND steps.name = ? "
            "AND steps.status = 'Succeeded' AND cached_from IS NULL AND reused_from IS NULL "
            "ORDER BY steps.ended DESC, steps.rowid DESC",
            cache_key,
            pipeline,
            step,
        )
        return [(_step(row), row["execution_arn"]) for row in rows]


def _values(
    record: StepRecord | ExecutionRecord, columns: tuple[str, ...], encoded: frozenset[str]
) -> list[Json]:
    return [
        dumps(getattr(record, column)) if column in encoded else getattr(record, column)
        for column in columns
    ]


def _step(row: sqlite3.Row) -> StepRecord:
    values = _decoded(row, _STEP_COLUMNS, _STEP_JSON)
    values["status"] = StepStatus(values["status"])
    values["outputs"] = tuple(values["outputs"])
    return StepRecord(**values)


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
