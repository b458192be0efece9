"""ListModelPackages."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.registry.groups import group_name
from pipelines.backends.local.registry.packages import APPROVALS, identity
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.requests import (
    Members,
    Order,
    check_choice,
    given,
    page,
    within,
)
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_MEMBERS = Members(
    (),
    (
        "CreationTimeAfter",
        "CreationTimeBefore",
        "MaxResults",
        "NameContains",
        "ModelApprovalStatus",
        "ModelPackageGroupName",
        "ModelPackageType",
        "NextToken",
        "SortBy",
        "SortOrder",
    ),
)
_SHOWN = (
    "ModelPackageDescription",
    "ModelApprovalStatus",
    "ModelLifeCycle",
    "ModelPackageRegistrationType",
)
_TYPES = ("Versioned", "Unversioned", "Both")


@frozen
class PackageList:
    """Lists packages by group, approval, name, type and time."""

    premises: Premises

    def list_model_packages(self, **request: Json) -> JsonObject:
        """List packages, the oldest first; without a group or type only unversioned ones."""
        _MEMBERS.check(request)
        check_choice("SortBy", request.get("SortBy"), ("Name", "CreationTime"))
        check_choice("ModelPackageType", request.get("ModelPackageType"), _TYPES)
        check_choice("ModelApprovalStatus", request.get("ModelApprovalStatus"), APPROVALS)
        found = [
            (row, record)
            for row in self._rows(request)
            if _matches(row, record := json.loads(row["record"]), request)
        ]
        order = Order[tuple[sqlite3.Row, JsonObject]](
            lambda item: _key(item[0], str(request.get("SortBy", "CreationTime")))
        )
        found, token = page(found, order, request)
        summaries = [{**identity(row), **given(record, _SHOWN)} for row, record in found]
        return {"ModelPackageSummaryList": summaries, **token}

    def _rows(self, request: JsonObject) -> list[sqlite3.Row]:
        group = request.get("ModelPackageGroupName")
        if group is not None:
            query = "SELECT * FROM packages WHERE group_name = ?"
            return self.premises.database.read(query, group_name(group))
        kind = request.get("ModelPackageType", "Unversioned")
        return [
            row
            for row in self.premises.database.read("SELECT * FROM packages")
            if kind == "Both" or (row["group_name"] is None) == (kind == "Unversioned")
        ]


def _matches(row: sqlite3.Row, record: JsonObject, request: JsonObject) -> bool:
    wanted = request.get("ModelApprovalStatus")
    return (
        str(request.get("NameContains", "")) in row["name"]
        and (wanted is None or record.get("ModelApprovalStatus") == wanted)
        and within(row["created"], request, "CreationTimeAfter", "CreationTimeBefore")
    )


def _key(row: sqlite3.Row, sort_by: str) -> tuple[str | float, ...]:
    version = row["version"] or 0
    if sort_by == "Name":
        return (row["name"], version)
    return (row["created"], row["name"], version)
