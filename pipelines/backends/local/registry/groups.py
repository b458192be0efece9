"""Model package groups."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.errors import conflict, invalid
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

_KEPT = ("ModelPackageGroupDescription", "ManagedConfiguration")
_CREATE = Members(("ModelPackageGroupName",), (*_KEPT, "Tags"))
_ONE = Members(("ModelPackageGroupName",))
_NAME_LENGTH = 63


@frozen
class Groups:
    """The operations on model package groups; names may be given as ARNs."""

    premises: Premises

    def create_model_package_group(self, **request: Json) -> JsonObject:
        """Create a group."""
        _CREATE.check(request)
        name = check_name("ModelPackageGroupName", request["ModelPackageGroupName"], _NAME_LENGTH)
        arn = self.premises.arn(f"model-package-group/{name}")
        with self.premises.database.transaction() as connection:
            if find_group(connection, name) is not None:
                raise invalid(f"Model Package Group already exists: {arn}")
            connection.execute(
                "INSERT INTO package_groups (name, arn, record, created) VALUES (?, ?, ?, ?)",
                (name, arn, dumps(given(request, _KEPT)), self.premises.now()),
            )
            keep_tags(connection, arn, request.get("Tags") or [])
        return {"ModelPackageGroupArn": arn}

    def describe_model_package_group(self, **request: Json) -> JsonObject:
        """Return a group."""
        _ONE.check(request)
        return {**_summary(self._row(request["ModelPackageGroupName"])), "CreatedBy": {}}

    def list_model_package_groups(self, **request: Json) -> JsonObject:
        """List groups, the oldest first."""
        rows, token = list_named(
            self.premises.database,
            "package_groups",
            request,
            "Ascending",
            ("CrossAccountFilterOption",),
        )
        return {"ModelPackageGroupSummaryList": [_summary(row) for row in rows], **token}

    def delete_model_package_group(self, **request: Json) -> JsonObject:
        """Delete a group that holds no packages.

        Raises:
            ServiceError: ConflictException, while it holds some.
        """
        _ONE.check(request)
        row = self._row(request["ModelPackageGroupName"])
        with self.premises.database.transaction() as connection:
            query = "SELECT count(*) FROM packages WHERE group_name = ?"
            (count,) = connection.execute(query, (row["name"],)).fetchone()
            if count:
                raise conflict(
                    f"Model Package Group {row['arn']} still holds {count} model packages.",
                    "delete them first",
                )
            connection.execute("DELETE FROM package_groups WHERE name = ?", (row["name"],))
            drop_tags(connection, row["arn"])
        return {}

    def _row(self, name: str) -> sqlite3.Row:
        name = group_name(name)
        rows = self.premises.database.read("SELECT * FROM package_groups WHERE name = ?", name)
        if not rows:
            arn = self.premises.arn(f"model-package-group/{name}")
            raise invalid(f"Model Package Group {arn} does not exist.")
        return rows[0]


def find_group(connection: sqlite3.Connection, name: str) -> sqlite3.Row | None:
    """Find a group within a transaction."""
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM package_groups WHERE name = ?", (name,)
    ).fetchone()
    return row


def group_name(name_or_arn: str) -> str:
    """Return the name of a group that is given by name or ARN."""
    return str(name_or_arn).rpartition("/")[2]


def _summary(row: sqlite3.Row) -> JsonObject:
    return {
        "ModelPackageGroupName": row["name"],
        "ModelPackageGroupArn": row["arn"],
        "CreationTime": moment(row["created"]),
        "ModelPackageGroupStatus": "Completed",
        **json.loads(row["record"]),
    }
