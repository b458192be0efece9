"""Models: kept as they were asked for; Transform and endpoints read them."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.registry.named import list_named
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.tags import drop_tags, keep_tags
from pipelines.backends.local.requests import (
    Members,
    check_name,
    given,
    moment,
)
from pipelines.backends.local.state.database import dumps
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_KEPT = (
    "PrimaryContainer",
    "Containers",
    "InferenceExecutionConfig",
    "ExecutionRoleArn",
    "VpcConfig",
    "EnableNetworkIsolation",
)
_CREATE = Members(("ModelName",), (*_KEPT, "Tags"))
_NAME_LENGTH = 63


@frozen
class Models:
    """CreateModel, DescribeModel, ListModels and DeleteModel."""

    premises: Premises

    def create_model(self, **request: Json) -> JsonObject:
        """Keep a model."""
        _CREATE.check(request)
        name = check_name("ModelName", request["ModelName"], _NAME_LENGTH)
        arn = self.premises.arn(f"model/{name}")
        containers = request.get("Containers") or [request.get("PrimaryContainer")]
        if containers == [None]:
            raise invalid("the model has neither PrimaryContainer nor Containers")
        with self.premises.database.transaction() as connection:
            if connection.execute("SELECT 1 FROM models WHERE name = ?", (name,)).fetchone():
                raise invalid(f'Cannot create already existing model "{arn}".')
            connection.execute(
                "INSERT INTO models (name, arn, record, created) VALUES (?, ?, ?, ?)",
                (name, arn, dumps(given(request, _KEPT)), self.premises.now()),
            )
            keep_tags(connection, arn, request.get("Tags") or [])
            for container in containers:
                if container.get("ModelPackageName") is not None:
                    _require_approved(connection, container["ModelPackageName"])
        return {"ModelArn": arn}

    def describe_model(self, **request: Json) -> JsonObject:
        """Return a model as it was created."""
        Members(("ModelName",)).check(request)
        row = self._row(request["ModelName"])
        return {**_summary(row), **json.loads(row["record"])}

    def list_models(self, **request: Json) -> JsonObject:
        """List models, the newest first."""
        rows, token = list_named(self.premises.database, "models", request, "Descending")
        return {"Models": [_summary(row) for row in rows], **token}

    def delete_model(self, **request: Json) -> JsonObject:
        """Forget a model."""
        Members(("ModelName",)).check(request)
        row = self._row(request["ModelName"])
        with self.premises.database.transaction() as connection:
            connection.execute("DELETE FROM models WHERE name = ?", (row["name"],))
            drop_tags(connection, row["arn"])
        return {}

    def _row(self, name: str) -> sqlite3.Row:
        rows = self.premises.database.read("SELECT * FROM models WHERE name = ?", name)
        if not rows:
            raise invalid(f'Could not find model "{self.premises.arn(f"model/{name}")}".')
        return rows[0]


def _require_approved(connection: sqlite3.Connection, arn: str) -> None:
    row = connection.execute("SELECT record FROM packages WHERE arn = ?", (arn,)).fetchone()
    if row is None:
        raise invalid(f"ModelPackage {arn} does not exist.", "give its ARN")
    status = json.loads(row["record"]).get("ModelApprovalStatus", "Approved")
    if status != "Approved":
        raise invalid(
            f"Cannot create Model from ModelPackage {arn} with approval status {status}.",
            "approve it first",
        )


def _summary(row: sqlite3.Row) -> JsonObject:
    return {
        "ModelName": row["name"],
        "ModelArn": row["arn"],
        "CreationTime": moment(row["created"]),
    }
