"""Executions as pruning sees them: what each one uses, what names it, and their removal."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from datetime import UTC, datetime

from pipelines.backends.local.jobs.owners import JobOwner
from pipelines.backends.local.state.database import Database
from pipelines.execution.status import ExecutionStatus
from pipelines.frozen import frozen

_NAMING = {
    "packages": "a registered version comes from it",
    "models": "a model was made of it",
    "endpoint_configs": "an endpoint configuration names it",
    "endpoints": "an endpoint serves it",
}


@frozen
class ExecutionTrace:
    """An execution, without what it ran.

    Args:
        id: its id.
        pipeline: the pipeline's name.
        status: its status.
        created: when it was started, in seconds since 1970.
        version: the version of the pipeline's definition that it ran.
    """

    id: str
    pipeline: str
    status: ExecutionStatus
    created: float
    version: int | None

    @property
    def shown(self) -> str:
        """Name it for people."""
        began = datetime.fromtimestamp(self.created, UTC).astimezone()
        return f"{self.id} of {self.pipeline}, {began:%Y-%m-%d %H:%M}, {self.status}"


class TraceStore:
    """Reads what pruning needs to know, and removes executions."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> list[ExecutionTrace]:
        """List every execution, the newest first."""
        query = (
            "SELECT id, pipeline, status, created, json_extract(request, '$.PipelineVersionId')"
            " AS version FROM executions ORDER BY created DESC, rowid DESC"
        )
        return [
            ExecutionTrace(row["id"], row["pipeline"], status, row["created"], row["version"])
            for row in self._database.read(query)
            for status in (ExecutionStatus(row["status"]),)
        ]

    def sources(self) -> dict[str, set[str]]:
        """Return the executions whose results others use: id of the user → ids of the used."""
        query = (
            "SELECT DISTINCT execution AS user, coalesce(cached_from, reused_from) AS source"
            " FROM steps WHERE coalesce(cached_from, reused_from) IS NOT NULL UNION"
            " SELECT id, json_extract(request,"
            " '$.SelectiveExecutionConfig.SourcePipelineExecutionArn') AS source FROM executions"
            " WHERE source IS NOT NULL"
        )
        found: dict[str, set[str]] = {}
        for row in self._database.read(query):
            found.setdefault(row["user"], set()).add(row["source"].rpartition("/")[2])
        return found

    def naming(self) -> Iterator[tuple[str, str]]:
        """Yield the records that may name executions or objects: why those stay, and the text."""
        for table, why in _NAMING.items():
            for row in self._database.read(f"SELECT record FROM {table}"):  # noqa: S608 - our own table names
                yield why, row["record"]
        query = "SELECT owner, request FROM jobs WHERE status IN ('InProgress', 'Stopping')"
        owners = JobOwner(self._database.home)
        for row in self._database.read(query):
            if owners.is_alive(row["owner"]):
                yield "a job that has not ended names it", row["request"]

    def latest_versions(self) -> dict[str, int]:
        """Return the number of the latest version of each pipeline's definition."""
        query = "SELECT pipeline, max(version) AS latest FROM pipeline_versions GROUP BY pipeline"
        return {row["pipeline"]: row["latest"] for row in self._database.read(query)}

    def definitions(
        self, removed: Collection[str], versions: Collection[tuple[str, int]]
    ) -> Iterator[str]:
        """Yield the definitions that remain without some executions and some versions."""
        query = (
            "SELECT DISTINCT definition FROM executions"
            " WHERE id NOT IN (SELECT value FROM json_each(?))"
        )
        for row in self._database.read(query, json.dumps([*removed])):
            yield row["definition"]
        query = "SELECT pipeline, version, definition FROM pipeline_versions"
        for row in self._database.read(query):
            if (row["pipeline"], row["version"]) not in versions:
                yield row["definition"]

    def remove(self, executions: Collection[str], versions: Collection[tuple[str, int]]) -> None:
        """Remove executions with their steps and the jobs of these, and versions of definitions."""
        ids = json.dumps([*executions])
        with self._database.transaction() as connection:
            for table, column in (("steps", "execution"), ("executions", "id")):
                connection.execute(
                    f"DELETE FROM {table} WHERE {column} IN (SELECT value FROM json_each(?))",  # noqa: S608 - our own names
                    (ids,),
                )
            jobs = [(f"{word}{one}-",) for one in executions for word in ("pipelines-", "")]
            connection.executemany(
                "DELETE FROM tags WHERE arn IN (SELECT arn FROM jobs WHERE instr(name, ?) = 1)",
                jobs,
            )
            connection.executemany("DELETE FROM jobs WHERE instr(name, ?) = 1", jobs)
            connection.executemany(
                "DELETE FROM pipeline_versions WHERE pipeline = ? AND version = ?", [*versions]
            )
