"""Named resources (package groups, models, endpoint configs), model packages and tags."""

from __future__ import annotations

import json
import sqlite3
from typing import Literal, TypeAlias

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.state.database import Database, dumps, from_row
from pipelines.backends.local.state.paging import PageQuery
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

NamedTable: TypeAlias = Literal["endpoint_configs", "models", "package_groups"]

_MOST_TAGS = 50
_TAGGED = (
    "pipelines",
    "package_groups",
    "packages",
    "models",
    "endpoint_configs",
    "endpoints",
    "jobs",
)


@frozen
class NamedRecord:
    """A resource with a name.

    Args:
        name: its name.
        arn: its ARN.
        content: the members of its create request that Describe returns.
        created: seconds since 1970.
    """

    name: str
    arn: str
    content: JsonObject
    created: float


@frozen
class PackageRecord:
    """A model package.

    Args:
        arn: its ARN.
        name: its name; a version has its group's.
        group: the group; None for an unversioned package.
        version: its number in the group.
        content: the members of its create request that Describe returns.
        created: seconds since 1970.
        modified: when it was changed last; None before the first change.
        token: the ClientToken that it was created with.
    """

    arn: str
    name: str
    group: str | None
    version: int | None
    content: JsonObject
    created: float
    modified: float | None = None
    token: str | None = None


class TagStore:
    """The table `tags`: the tags of every resource, by its ARN."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, arn: str, tags: list[JsonObject]) -> None:
        """Add tags to a resource, replacing those of the same key.

        Raises:
            ServiceError: it would have too many.
        """
        with self._database.transaction() as connection:
            connection.executemany(
                "INSERT OR REPLACE INTO tags (arn, key, value) VALUES (?, ?, ?)",
                [(arn, tag["Key"], tag["Value"]) for tag in tags],
            )
            count = len(self.of(arn))
            if count > _MOST_TAGS:
                raise invalid(f"{arn} would have {count} tags; the maximum is {_MOST_TAGS}")

    def of(self, arn: str) -> list[JsonObject]:
        """List the tags of a resource by key."""
        rows = self._database.read("SELECT key, value FROM tags WHERE arn = ? ORDER BY key", arn)
        return [{"Key": row["key"], "Value": row["value"]} for row in rows]

    def remove(self, arn: str, keys: list[str]) -> None:
        """Remove the tags with the given keys."""
        with self._database.transaction() as connection:
            connection.executemany(
                "DELETE FROM tags WHERE arn = ? AND key = ?", [(arn, key) for key in keys]
            )

    def remove_all(self, arn: str) -> None:
        """Remove the tags of a resource that is being deleted."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM tags WHERE arn = ?", (arn,))

    def has_resource(self, arn: str) -> bool:
        """Return whether there is a resource with an ARN, in any table."""
        return any(
            self._database.read(f"SELECT 1 FROM {table} WHERE arn = ?", arn)  # noqa: S608 - our own table names
            for table in _TAGGED
        )


class NamedStore:
    """One of the tables of resources that have a name and a creation time."""

    def __init__(self, database: Database, table: NamedTable, tags: TagStore) -> None:
        self._database = database
        self._table = table
        self._tags = tags

    def add(self, record: NamedRecord, tags: list[JsonObject]) -> bool:
        """Add a resource with its tags; return False when the name is taken."""
        insert = f"INSERT INTO {self._table} (name, arn, record, created) VALUES (?, ?, ?, ?)"  # noqa: S608 - our own table names
        with self._database.transaction() as connection:
            if self.find(record.name) is not None:
                return False
            connection.execute(
                insert, (record.name, record.arn, dumps(record.content), record.created)
            )
            self._tags.add(record.arn, tags)
        return True

    def find(self, name: str) -> NamedRecord | None:
        """Find a resource by its name."""
        query = f"SELECT * FROM {self._table} WHERE name = ?"  # noqa: S608 - our own table names
        rows = self._database.read(query, name)
        return _named(rows[0]) if rows else None

    def all(self) -> list[NamedRecord]:
        """List all resources."""
        rows = self._database.read(f"SELECT * FROM {self._table}")  # noqa: S608 - our own table names
        return [_named(row) for row in rows]

    def remove(self, record: NamedRecord) -> None:
        """Remove a resource and its tags."""
        delete = f"DELETE FROM {self._table} WHERE name = ?"  # noqa: S608 - our own table names
        with self._database.transaction() as connection:
            connection.execute(delete, (record.name,))
            self._tags.remove_all(record.arn)


class PackageStore:
    """The table `packages`, and the version counters in `package_groups`."""

    def __init__(self, database: Database, tags: TagStore) -> None:
        self._database = database
        self._tags = tags

    def next_version(self, group: str) -> int:
        """Increment the version counter of a group; numbers of deleted versions stay used."""
        with self._database.transaction() as connection:
            (version,) = connection.execute(
                "UPDATE package_groups SET last_version = last_version + 1 WHERE name = ? "
                "RETURNING last_version",
                (group,),
            ).fetchone()
        return int(version)

    def add(self, record: PackageRecord, tags: list[JsonObject]) -> None:
        """Add a package with its tags."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO packages (arn, name, group_name, version, record, created, token) "
                "VALUES (?, ?, ?, ?, ?, ?, ?)",
                (
                    record.arn,
                    record.name,
                    record.group,
                    record.version,
                    dumps(record.content),
                    record.created,
                    record.token,
                ),
            )
            self._tags.add(record.arn, tags)

    def save(self, arn: str, content: JsonObject, now: float) -> None:
        """Replace the content of a package."""
        with self._database.transaction() as connection:
            connection.execute(
                "UPDATE packages SET record = ?, modified = ? WHERE arn = ?",
                (dumps(content), now, arn),
            )

    def find(self, arn: str) -> PackageRecord | None:
        """Find a package by its ARN."""
        rows = self._database.read("SELECT * FROM packages WHERE arn = ?", arn)
        return _package(rows[0]) if rows else None

    def with_token(self, token: str) -> PackageRecord | None:
        """Find the package that was created with a ClientToken."""
        rows = self._database.read("SELECT * FROM packages WHERE token = ?", token)
        return _package(rows[0]) if rows else None

    def listed(self, query: PageQuery) -> list[PackageRecord]:
        """List packages."""
        select, values = query.select("*", "packages")
        return [_package(row) for row in self._database.read(select, *values)]

    def count(self, group: str) -> int:
        """Count the versions of a group."""
        query = "SELECT count(*) AS number FROM packages WHERE group_name = ?"
        return int(self._database.read(query, group)[0]["number"])

    def remove(self, arn: str) -> None:
        """Remove a package and its tags."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM packages WHERE arn = ?", (arn,))
            self._tags.remove_all(arn)


@from_row
def _named(row: sqlite3.Row) -> NamedRecord:
    return NamedRecord(row["name"], row["arn"], json.loads(row["record"]), row["created"])


@from_row
def _package(row: sqlite3.Row) -> PackageRecord:
    return PackageRecord(
        row["arn"],
        row["name"],
        row["group_name"],
        row["version"],
        json.loads(row["record"]),
        row["created"],
        row["modified"],
        row["token"],
    )
