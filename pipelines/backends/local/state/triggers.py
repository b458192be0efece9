"""The table `changes`: every change of a status or a package, in the transaction that makes it.

SQLite itself writes it, so that no store and no process can forget to, and a crash leaves either
both or neither. It is written only once rules are loaded (the table `watched` has a row), and it
holds a day at most: what EventBridge itself tries to deliver for a day.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_NOW = "(julianday('now') - 2440587.5) * 86400.0"
_DAY = 86_400
_TABLES = """
CREATE TABLE watched (since REAL NOT NULL);
CREATE TABLE changes (
    number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL, resource TEXT NOT NULL,
    recorded REAL NOT NULL, before TEXT, after TEXT NOT NULL);
CREATE INDEX changes_by_age ON changes (recorded);
"""
_PACKAGE = ("arn", "name", "group_name", "version", "created", "modified", "record:json")
_EXECUTION = ("arn", "status", "created", "modified", "request:json", "failure")
_STEP = (
    *("name", "type", "status", "started", "ended", "metadata:json", "reason", "cached_from"),
    "execution:arn",
)
_ENDPOINT = ("name", "arn", "status", "config", "created", "modified", "wanted", "record:json")
_JOB = (
    *("type", "name", "arn", "status", "created", "modified", "started", "ended", "reason"),
    *("owner", "transitions", "request", "results"),
)
_ARN = "(SELECT arn FROM executions WHERE id = {row}.execution)"


def change_tables() -> str:
    """Return the SQL that creates the table and what writes it."""
    watched: Mapping[str, tuple[tuple[str, ...], str]] = {
        "packages": (_PACKAGE, "record"),
        "executions": (_EXECUTION, "status"),
        "steps": (_STEP, "status"),
        "endpoints": (_ENDPOINT, "status"),
        "jobs": (_JOB, "status"),
    }
    triggers = (_triggers(table, *columns) for table, columns in watched.items())
    return _TABLES + "\n".join(sql for both in triggers for sql in both)


def _triggers(table: str, columns: tuple[str, ...], compared: str) -> Iterator[str]:
    new, old = _content("NEW", columns), _content("OLD", columns)
    yield _trigger(table, "INSERT", "", ("NULL", new))
    changed = f"AND NEW.{compared} IS NOT OLD.{compared}"
    yield _trigger(table, "UPDATE", changed, (old, new))


def _trigger(table: str, event: str, when: str, values: tuple[str, str]) -> str:
    return f"""
CREATE TRIGGER {table}_{event.lower()}_is_a_change AFTER {event} ON {table}
WHEN EXISTS (SELECT 1 FROM watched) {when} BEGIN
    DELETE FROM changes WHERE recorded < {_NOW} - {_DAY};
    INSERT INTO changes (id, resource, recorded, before, after)
    VALUES (lower(hex(randomblob(16))), '{table}', {_NOW}, {values[0]}, {values[1]});
END;"""  # noqa: S608 - our own names


def _content(row: str, columns: tuple[str, ...]) -> str:
    """Return an expression for the JSON of a row: NEW or OLD."""
    parts = []
    for column in columns:
        name, _, kind = column.partition(":")
        value = f"{row}.{name}"
        if kind:
            value = f"json({value})" if kind == "json" else _ARN.format(row=row)
        parts.append(f"'{name}', {value}")
    return f"json_object({', '.join(parts)})"
