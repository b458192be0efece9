"""Changes that wait to become events: the table `changes`, which triggers write."""

from __future__ import annotations

import json
import sqlite3

from pipelines.backends.local.state.database import Database, from_row
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_AT_ONCE = 100


@frozen
class ChangeRecord:
    """One change of a row.

    Args:
        number: its place in the order of all changes.
        id: 32 hexadecimal digits; what is sent for it a second time has the same.
        resource: the table: `packages`, `executions`, `steps`, `endpoints` or `jobs`.
        recorded: when, in seconds since 1970.
        before: the columns of the row before; None where it is new.
        after: those after.
    """

    number: int
    id: str
    resource: str
    recorded: float
    before: JsonObject | None
    after: JsonObject


class ChangeStore:
    """Reads the changes, and says whether they are recorded at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def watch(self) -> None:
        """Record changes from now on, whichever process makes them, until `forget`."""
        with self._database.transaction() as connection:
            connection.execute(
                "INSERT INTO watched (since) SELECT julianday('now') "
                "WHERE NOT EXISTS (SELECT 1 FROM watched)"
            )

    def forget(self) -> None:
        """Record no changes any more, and drop those that wait."""
        if self._database.read("SELECT 1 FROM watched"):
            with self._database.transaction() as connection:
                connection.execute("DELETE FROM watched")
                connection.execute("DELETE FROM changes")

    def waiting(self) -> list[ChangeRecord]:
        """List changes in their order, not all of them at once."""
        rows = self._database.read("SELECT * FROM changes ORDER BY number LIMIT ?", _AT_ONCE)
        return [_change(row) for row in rows]

    def remove(self, number: int) -> None:
        """Remove a change whose events were sent."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM changes WHERE number = ?", (number,))


@from_row
def _change(row: sqlite3.Row) -> ChangeRecord:
    before = row["before"]
    return ChangeRecord(
        row["number"],
        row["id"],
        row["resource"],
        row["recorded"],
        None if before is None else json.loads(before),
        json.loads(row["after"]),
    )
