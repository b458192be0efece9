"""Pipelines of the local SageMaker, with every version of their definition."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.errors import conflict, invalid, missing, validated
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.tags import drop_tags, keep_tags
from pipelines.backends.local.requests import (
    Members,
    Order,
    check_choice,
    check_name,
    given,
    moment,
    page,
    within,
)
from pipelines.backends.local.state.database import dumps
from pipelines.execution.schedule import read_definition
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_KEPT = ("PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration")
_SOURCES = ("PipelineDefinition", "PipelineDefinitionS3Location")
_CREATE = Members(("PipelineName",), (*_KEPT, *_SOURCES, "ClientRequestToken", "Tags"))
_UPDATE = Members(("PipelineName",), (*_KEPT, *_SOURCES))
_DESCRIBE = Members(("PipelineName",), ("PipelineVersionId",))
_DELETE = Members(("PipelineName",), ("ClientRequestToken",))
_VERSIONS = Members(
    ("PipelineName",), ("CreatedAfter", "CreatedBefore", "SortOrder", "NextToken", "MaxResults")
)
_LIST = Members(
    (),
    (
        "PipelineNamePrefix",
        "CreatedAfter",
        "CreatedBefore",
        "SortBy",
        "SortOrder",
        "NextToken",
        "MaxResults",
    ),
)
_NAME_LENGTH = 256


@frozen
class Pipelines:
    """The operations on pipelines; names may be given as ARNs."""

    premises: Premises
    objects: ObjectStore

    def create_pipeline(self, **request: Json) -> JsonObject:
        """Create a pipeline with the first version of its definition.

        Raises:
            ServiceError: ConflictException when it is there; ValidationException.
        """
        _CREATE.check(request)
        name = check_name("PipelineName", request["PipelineName"], _NAME_LENGTH)
        definition = self._definition(request)
        if definition is None:
            raise invalid("a pipeline needs PipelineDefinition or PipelineDefinitionS3Location")
        arn, now = self.premises.arn(f"pipeline/{name}"), self.premises.now()
        with self.premises.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM pipelines WHERE name = ?", (name,)).fetchone():
                raise conflict(f"Pipeline names must be unique: {arn} is there.", "update it")
            connection.execute(
                "INSERT INTO pipelines (name, arn, record, created, modified) "
                "VALUES (?, ?, ?, ?, ?)",
                (name, arn, dumps(given(request, _KEPT)), now, now),
            )
            _add_version(connection, name, definition, now)
            keep_tags(connection, arn, request.get("Tags") or [])
        return {"PipelineArn": arn}

    def update_pipeline(self, **request: Json) -> JsonObject:
        """Change a pipeline; a definition in the request becomes its next version."""
        _UPDATE.check(request)
        row = self.row(request["PipelineName"])
        definition, now = self._definition(request), self.premises.now()
        record = {**json.loads(row["record"]), **given(request, _KEPT)}
        with self.premises.database.transaction() as connection:
            connection.execute(
                "UPDATE pipelines SET record = ?, modified = ? WHERE name = ?",
                (dumps(record), now, row["name"]),
            )
            if definition is not None:
                _add_version(connection, row["name"], definition, now)
        return {
            "PipelineArn": row["arn"],
            "PipelineVersionId": self.version(row["name"], None)["version"],
        }

    def describe_pipeline(self, **request: Json) -> JsonObject:
        """Return a pipeline with its latest definition, or the version that is asked for."""
        _DESCRIBE.check(request)
        row = self.row(request["PipelineName"])
        version = self.version(row["name"], request.get("PipelineVersionId"))
        ran = self._last_run(row["name"])
        return {
            "PipelineArn": row["arn"],
            "PipelineName": row["name"],
            "PipelineDefinition": version["definition"],
            "PipelineStatus": "Active",
            "CreationTime": moment(row["created"]),
            "LastModifiedTime": moment(row["modified"]),
            **({} if ran is None else {"LastRunTime": moment(ran)}),
            **json.loads(row["record"]),
        }

    def list_pipelines(self, **request: Json) -> JsonObject:
        """List pipelines, the newest first."""
        _LIST.check(request)
        check_choice("SortBy", request.get("SortBy"), ("Name", "CreationTime"))
        rows = [
            row
            for row in self.premises.database.read("SELECT * FROM pipelines")
            if row["name"].startswith(str(request.get("PipelineNamePrefix", "")))
            and within(row["created"], request, "CreatedAfter", "CreatedBefore")
        ]
        by_name = request.get("SortBy") == "Name"
        order = Order[sqlite3.Row](
            lambda row: (row["name"],) if by_name else (row["created"], row["name"]), "Descending"
        )
        rows, token = page(rows, order, request)
        return {"PipelineSummaries": [self._summary(row) for row in rows], **token}

    def list_pipeline_versions(self, **request: Json) -> JsonObject:
        """List the versions of a pipeline's definition, the newest first."""
        _VERSIONS.check(request)
        row = self.row(request["PipelineName"])
        query = "SELECT * FROM pipeline_versions WHERE pipeline = ?"
        rows = [
            version
            for version in self.premises.database.read(query, row["name"])
            if within(version["created"], request, "CreatedAfter", "CreatedBefore")
        ]
        order = Order[sqlite3.Row](lambda version: (version["version"],), "Descending")
        rows, token = page(rows, order, request)
        summaries = [
            {
                "PipelineArn": row["arn"],
                "PipelineVersionId": version["version"],
                "CreationTime": moment(version["created"]),
                **self._last_execution(row["name"], version["version"]),
            }
            for version in rows
        ]
        return {"PipelineVersionSummaries": summaries, **token}

    def delete_pipeline(self, **request: Json) -> JsonObject:
        """Delete a pipeline; its executions stay readable by their ARNs."""
        _DELETE.check(request)
        row = self.row(request["PipelineName"])
        with self.premises.database.transaction() as connection:
            connection.execute("DELETE FROM pipelines WHERE name = ?", (row["name"],))
            connection.execute("DELETE FROM pipeline_versions WHERE pipeline = ?", (row["name"],))
            drop_tags(connection, row["arn"])
        return {"PipelineArn": row["arn"]}

    def row(self, name_or_arn: str) -> sqlite3.Row:
        """Find a pipeline.

        Raises:
            ServiceError: ResourceNotFound.
        """
        name = str(name_or_arn).rpartition("/")[2]
        rows = self.premises.database.read("SELECT * FROM pipelines WHERE name = ?", name)
        if not rows:
            raise missing(f"Pipeline '{self.premises.arn(f'pipeline/{name}')}' does not exist.")
        return rows[0]

    def version(self, name: str, number: int | None) -> sqlite3.Row:
        """Find a version of a pipeline's definition; the latest without a number."""
        rows = self.premises.database.read(
            "SELECT * FROM pipeline_versions WHERE pipeline = ?1 AND (?2 IS NULL OR version = ?2) "
            "ORDER BY version DESC LIMIT 1",
            name,
            number,
        )
        if not rows:
            raise missing(f"Pipeline '{name}' has no version {number}.")
        return rows[0]

    def _definition(self, request: JsonObject) -> str | None:
        location = request.get("PipelineDefinitionS3Location")
        text: str | None = request.get("PipelineDefinition")
        if location is not None:
            uri = f"s3://{location['Bucket']}/{location['ObjectKey']}"
            text = self.objects.get_bytes(uri).decode("utf-8")
        if text is not None:
            with validated():
                read_definition(text)
        return text

    def _last_run(self, name: str) -> float | None:
        query = "SELECT max(created) AS latest FROM executions WHERE pipeline = ?"
        latest: float | None = self.premises.database.read(query, name)[0]["latest"]
        return latest

    def _last_execution(self, name: str, version: int) -> JsonObject:
        query = (
            "SELECT arn FROM executions WHERE pipeline = ? "
            "AND json_extract(request, '$.PipelineVersionId') = ? "
            "ORDER BY created DESC, rowid DESC LIMIT 1"
        )
        rows = self.premises.database.read(query, name, version)
        return {"LastExecutionPipelineExecutionArn": rows[0]["arn"]} if rows else {}

    def _summary(self, row: sqlite3.Row) -> JsonObject:
        ran = self._last_run(row["name"])
        shown = ("PipelineDisplayName", "PipelineDescription", "RoleArn")
        return {
            "PipelineArn": row["arn"],
            "PipelineName": row["name"],
            "CreationTime": moment(row["created"]),
            "LastModifiedTime": moment(row["modified"]),
            **({} if ran is None else {"LastExecutionTime": moment(ran)}),
            **given(json.loads(row["record"]), shown),
        }


def _add_version(connection: sqlite3.Connection, name: str, definition: str, now: float) -> None:
    connection.execute(
        "INSERT INTO pipeline_versions (pipeline, version, definition, created) "
        "SELECT ?1, coalesce(max(version), 0) + 1, ?2, ?3 FROM pipeline_versions "
        "WHERE pipeline = ?1",
        (name, definition, now),
    )
