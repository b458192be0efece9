"""Pipelines and the versions of their definitions."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.state.database import Database, dumps, from_row
from pipelines.backends.local.state.paging import PageQuery
from pipelines.backends.local.state.resources import TagStore
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class PipelineRecord:
    """A pipeline; times are seconds since 1970.

    Args:
        name: its name.
        arn: its ARN.
        content: the members of its create request that Describe returns.
        created: when it was created.
        modified: when it was updated last.
    """

    name: str
    arn: str
    content: JsonObject
    created: float
    modified: float


@frozen
class VersionRecord:
    """One version of a pipeline's definition, counted from 1."""

    number: int
    definition: str
    created: float


class PipelineStore:
    """The tables `pipelines` and `pipeline_versions`."""

    def __init__(self, database: Database, tags: TagStore) -> None:
        self._database = database
        self._tags = tags

    def add(self, record: PipelineRecord, definition: str, tags: list[JsonObject]) -> bool:
        """Add a pipeline with its first version and its tags; False when the name is taken."""
        with self._database.transaction() as connection:
            if self.find(record.name) is not None:
                return False
            connection.execute(
                "INSERT INTO pipelines (name, arn, record, created, modified) "
                "VALUES (?, ?, ?, ?, ?)",
                (
                    record.name,
                    record.arn,
                    dumps(record.content),
                    record.created,
                    record.modified,
                ),
            )
            _add_version(connection, record.name, definition, record.created)
            self._tags.add(record.arn, tags)
        return True

    def update(self, record: PipelineRecord, definition: str | None) -> None:
        """Save a pipeline; a definition becomes its next version."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE pipelines SET record = ?, modified = ? WHERE name = ?",
                (dumps(record.content), record.modified, record.name),
            )
            if definition is not None:
                _add_version(connection, record.name, definition, record.modified)

    def find(self, name: str) -> PipelineRecord | None:
        """Find a pipeline by its name."""
        rows = self._database.read("SELECT * FROM pipelines WHERE name = ?", name)
        return _pipeline(rows[0]) if rows else None

    def all(self) -> list[PipelineRecord]:
        """List all pipelines."""
        return [_pipeline(row) for row in self._database.read("SELECT * FROM pipelines")]

    def version(self, name: str, number: int | None) -> VersionRecord | None:
        """Find a version of a pipeline's definition; without a number the latest."""
        rows = self._database.read(
            "SELECT * FROM pipeline_versions WHERE pipeline = ?1 AND (?2 IS NULL OR version = ?2) "
            "ORDER BY version DESC LIMIT 1",
            name,
            number,
        )
        return _version(rows[0]) if rows else None

    def versions(self, query: PageQuery) -> list[tuple[int, float]]:
        """List versions of definitions: the number of each, and when it was created."""
        select, values = query.select("version, created", "pipeline_versions")
        return [(row["version"], row["created"]) for row in self._database.read(select, *values)]

    def remove(self, record: PipelineRecord) -> None:
        """Remove a pipeline, its versions and its tags; its executions stay."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM pipelines WHERE name = ?", (record.name,))
            connection.execute("DELETE FROM pipeline_versions WHERE pipeline = ?", (record.name,))
            self._tags.remove_all(record.arn)


def _add_version(connection: sqlite3.Connection, name: str, definition: str, now: float) -> None:
    connection.execute(
        "INSERT INTO pipeline_versions (pipeline, version, definition, created) "
        "SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3 FROM pipeline_versions "
        "WHERE pipeline = ?1",
        (name, definition, now),
    )


@from_row
def _pipeline(row: sqlite3.Row) -> PipelineRecord:
    content = json.loads(row["record"])
    return PipelineRecord(row["name"], row["arn"], content, row["created"], row["modified"])


@from_row
def _version(row: sqlite3.Row) -> VersionRecord:
    return VersionRecord(row["version"], row["definition"], row["created"])
