"""Model packages: versions of a group, and unversioned ones."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.registry.groups import find_group, group_name
from pipelines.backends.local.registry.package_update import updated
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.registry.tags import drop_tags, keep_tags
from pipelines.backends.local.requests import Members, check_choice, check_name, given, moment
from pipelines.backends.local.state.database import dumps
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

APPROVALS = ("Approved", "Rejected", "PendingManualApproval")
_KEPT = (
    "ModelPackageDescription",
    "ModelPackageRegistrationType",
    "InferenceSpecification",
    "SourceAlgorithmSpecification",
    "ValidationSpecification",
    "CertifyForMarketplace",
    "ModelApprovalStatus",
    "MetadataProperties",
    "ModelMetrics",
    "Domain",
    "Task",
    "SamplePayloadUrl",
    "CustomerMetadataProperties",
    "DriftCheckBaselines",
    "AdditionalInferenceSpecifications",
    "SkipModelValidation",
    "SourceUri",
    "SecurityConfig",
    "ModelCard",
    "ModelLifeCycle",
    "ManagedStorageType",
)
_CREATE = Members((), (*_KEPT, "ModelPackageName", "ModelPackageGroupName", "Tags", "ClientToken"))
_DESCRIBE = Members(("ModelPackageName",), ("IncludedData",))
_ONE = Members(("ModelPackageName",))
_NAME_LENGTH = 63


@frozen
class Packages:
    """Create, describe, update and delete; names may be given as ARNs or as `group/version`."""

    premises: Premises

    def create_model_package(self, **request: Json) -> JsonObject:
        """Create a version of a group, or an unversioned package.

        The same ClientToken gives the same package: token and package are one transaction.
        A version is `PendingManualApproval` unless the request says otherwise. Numbers of deleted
        versions are not given again.
        """
        _CREATE.check(request)
        check_choice("ModelApprovalStatus", request.get("ModelApprovalStatus"), APPROVALS)
        token = request.get("ClientToken")
        with self.premises.database.transaction() as connection:
            known = connection.execute(
                "SELECT arn FROM packages WHERE token = ?", (token,)
            ).fetchone()
            arn = known["arn"] if known else self._insert(connection, request)
        return {"ModelPackageArn": arn}

    def describe_model_package(self, **request: Json) -> JsonObject:
        """Return a package with every member it was created with."""
        _DESCRIBE.check(request)
        check_choice("IncludedData", request.get("IncludedData"), ("AllData", "MetadataOnly"))
        row = self._row(request["ModelPackageName"])
        record = json.loads(row["record"])
        if request.get("IncludedData") == "MetadataOnly":
            record.pop("ModelCard", None)
        changed = {} if row["modified"] is None else {"LastModifiedTime": moment(row["modified"])}
        status = [{"Name": row["name"], "Status": "Completed"}]
        return {
            **record,
            **identity(row),
            "CreatedBy": {},
            "ModelPackageStatusDetails": {"ValidationStatuses": status},
            **changed,
        }

    def update_model_package(self, **request: Json) -> JsonObject:
        """Change a package; members that the request does not name stay as they are."""
        row = self._row(request.get("ModelPackageArn", ""))
        with self.premises.database.transaction() as connection:
            (record,) = connection.execute(
                "SELECT record FROM packages WHERE arn = ?", (row["arn"],)
            ).fetchone()
            connection.execute(
                "UPDATE packages SET record = ?, modified = ? WHERE arn = ?",
                (dumps(updated(json.loads(record), request)), self.premises.now(), row["arn"]),
            )
        return {"ModelPackageArn": row["arn"]}

    def delete_model_package(self, **request: Json) -> JsonObject:
        """Delete a package."""
        _ONE.check(request)
        row = self._row(request["ModelPackageName"])
        with self.premises.database.transaction() as connection:
            connection.execute("DELETE FROM packages WHERE arn = ?", (row["arn"],))
            drop_tags(connection, row["arn"])
        return {}

    def _insert(self, connection: sqlite3.Connection, request: JsonObject) -> str:
        record = given(request, _KEPT)
        if request.get("ModelPackageGroupName") is not None:
            name, version = self._next_version(connection, request)
            arn = self.premises.arn(f"model-package/{name}/{version}")
            record.setdefault("ModelApprovalStatus", "PendingManualApproval")
            group: str | None = name
        else:
            name = check_name("ModelPackageName", request.get("ModelPackageName"), _NAME_LENGTH)
            arn = self.premises.arn(f"model-package/{name}")
            group, version = None, None
            if connection.execute("SELECT 1 FROM packages WHERE arn = ?", (arn,)).fetchone():
                raise invalid(f"Model Package already exists: {arn}")
        connection.execute(
            "INSERT INTO packages (arn, name, group_name, version, record, created, token) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                arn,
                name,
                group,
                version,
                dumps(record),
                self.premises.now(),
                request.get("ClientToken"),
            ),
        )
        keep_tags(connection, arn, request.get("Tags") or [])
        return arn

    def _next_version(self, connection: sqlite3.Connection, request: JsonObject) -> tuple[str, int]:
        name = group_name(request["ModelPackageGroupName"])
        if request.get("ModelPackageName") is not None:
            raise invalid("a version of a group has no ModelPackageName of its own")
        if request.get("Tags"):
            raise invalid("a version of a group has no tags", "put them on the group")
        if find_group(connection, name) is None:
            arn = self.premises.arn(f"model-package-group/{name}")
            raise invalid(f"Model Package Group {arn} does not exist.", "create it first")
        (version,) = connection.execute(
            "UPDATE package_groups SET last_version = last_version + 1 WHERE name = ? "
            "RETURNING last_version",
            (name,),
        ).fetchone()
        return name, version

    def _row(self, name: str) -> sqlite3.Row:
        arn = name if str(name).startswith("arn:") else self.premises.arn(f"model-package/{name}")
        rows = self.premises.database.read("SELECT * FROM packages WHERE arn = ?", arn)
        if not rows:
            raise invalid(f"ModelPackage {arn} does not exist.")
        return rows[0]


def identity(row: sqlite3.Row) -> JsonObject:
    """Return the members of a package that its row holds."""
    version = {
        "ModelPackageGroupName": row["group_name"],
        "ModelPackageVersion": row["version"],
    }
    return {
        "ModelPackageName": row["name"],
        **(version if row["group_name"] is not None else {}),
        "ModelPackageArn": row["arn"],
        "CreationTime": moment(row["created"]),
        "ModelPackageStatus": "Completed",
    }
