"""Tags of every local resource."""

from __future__ import annotations

import sqlite3

from pipelines.backends.local.errors import invalid
from pipelines.backends.local.registry.premises import Premises
from pipelines.backends.local.requests import Members
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_MOST = 50
_OWNERS = (
    "pipelines",
    "package_groups",
    "packages",
    "models",
    "endpoint_configs",
    "endpoints",
)


@frozen
class Tags:
    """AddTags, DeleteTags and ListTags."""

    premises: Premises

    def add_tags(self, **request: Json) -> JsonObject:
        """Add tags to a resource, replacing those of the same key; return them all."""
        Members(("ResourceArn", "Tags")).check(request)
        with self.premises.database.transaction() as connection:
            _require_owner(connection, request["ResourceArn"])
            keep_tags(connection, request["ResourceArn"], request["Tags"])
        return {"Tags": self._of(request["ResourceArn"])}

    def delete_tags(self, **request: Json) -> JsonObject:
        """Delete the tags with the given keys."""
        Members(("ResourceArn", "TagKeys")).check(request)
        with self.premises.database.transaction() as connection:
            _require_owner(connection, request["ResourceArn"])
            connection.executemany(
                "DELETE FROM tags WHERE arn = ? AND key = ?",
                [(request["ResourceArn"], key) for key in request["TagKeys"]],
            )
        return {}

    def list_tags(self, **request: Json) -> JsonObject:
        """List the tags of a resource; there are never more than one page."""
        Members(("ResourceArn",), ("NextToken", "MaxResults")).check(request)
        with self.premises.database.transaction() as connection:
            _require_owner(connection, request["ResourceArn"])
        return {"Tags": self._of(request["ResourceArn"])}

    def _of(self, arn: str) -> list[JsonObject]:
        rows = self.premises.database.read(
            "SELECT key, value FROM tags WHERE arn = ? ORDER BY key", arn
        )
        return [{"Key": row["key"], "Value": row["value"]} for row in rows]


def keep_tags(connection: sqlite3.Connection, arn: str, tags: list[JsonObject]) -> None:
    """Keep tags within a transaction."""
    connection.executemany(
        "INSERT OR REPLACE INTO tags (arn, key, value) VALUES (?, ?, ?)",
        [(arn, tag["Key"], tag["Value"]) for tag in tags],
    )
    (count,) = connection.execute("SELECT count(*) FROM tags WHERE arn = ?", (arn,)).fetchone()
    if count > _MOST:
        raise invalid(f"{arn} would have {count} tags; {_MOST} are the most")


def drop_tags(connection: sqlite3.Connection, arn: str) -> None:
    """Forget the tags of a resource that is being deleted."""
    connection.execute("DELETE FROM tags WHERE arn = ?", (arn,))


def _require_owner(connection: sqlite3.Connection, arn: str) -> None:
    for table in _OWNERS:
        query = f"SELECT 1 FROM {table} WHERE arn = ?"  # noqa: S608 - our own table names
        if connection.execute(query, (arn,)).fetchone():
            return
    raise invalid(f"Resource {arn} does not exist.")
