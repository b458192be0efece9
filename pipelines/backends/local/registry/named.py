"""Listing what has a name and a time of creation: groups, models, endpoint configs."""

from __future__ import annotations

import sqlite3
from typing import Literal, TypeAlias

from pipelines.backends.local.requests import (
    Members,
    Order,
    SortOrder,
    check_choice,
    page,
    within,
)
from pipelines.backends.local.state.database import Database
from pipelines.json_types import JsonObject

Table: TypeAlias = Literal["endpoint_configs", "models", "package_groups"]

_FILTERS = (
    "SortBy",
    "SortOrder",
    "NextToken",
    "MaxResults",
    "NameContains",
    "CreationTimeBefore",
    "CreationTimeAfter",
)


def list_named(
    database: Database,
    table: Table,
    request: JsonObject,
    default: SortOrder,
    more: tuple[str, ...] = (),
) -> tuple[list[sqlite3.Row], JsonObject]:
    """Read the page of a table that a request asks for.

    Args:
        database: the state.
        table: which one; it has the columns `name` and `created`.
        request: a list operation's members.
        default: the order where the request names none.
        more: members that the operation takes besides the common ones, and that change nothing.

    Returns:
        The rows, and `{"NextToken": …}` where there are more.
    """
    Members((), (*_FILTERS, *more)).check(request)
    check_choice("SortBy", request.get("SortBy"), ("Name", "CreationTime"))
    rows = [
        row
        for row in database.read(f"SELECT * FROM {table}")  # noqa: S608 - our own table names
        if str(request.get("NameContains", "")) in row["name"]
        and within(row["created"], request, "CreationTimeAfter", "CreationTimeBefore")
    ]
    by_name = request.get("SortBy") == "Name"
    order = Order[sqlite3.Row](
        lambda row: (row["name"],) if by_name else (row["created"], row["name"]), default
    )
    return page(rows, order, request)
