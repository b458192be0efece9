"""One SQLite file for several threads and several processes.

Every change is one transaction, so a process may be killed at any point. In WAL a commit survives
the death of the process without an fsync; in the rollback journal SQLite syncs by itself.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Self

from pipelines.backends.local.state.journal import journal_for
from pipelines.json_types import Json

_BUSY_SECONDS = 60.0

_SCHEMA = """
CREATE TABLE IF NOT EXISTS pipelines (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL, modified REAL NOT NULL);
CREATE TABLE IF NOT EXISTS pipeline_versions (
    pipeline TEXT NOT NULL, version INTEGER NOT NULL, definition TEXT NOT NULL,
    created REAL NOT NULL, PRIMARY KEY (pipeline, version));
CREATE TABLE IF NOT EXISTS executions (
    id TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, pipeline TEXT NOT NULL,
    status TEXT NOT NULL, created REAL NOT NULL, modified REAL NOT NULL,
    definition TEXT NOT NULL, parameters TEXT NOT NULL, request TEXT NOT NULL,
    failure TEXT, token TEXT UNIQUE);
CREATE INDEX IF NOT EXISTS executions_by_pipeline ON executions (pipeline, created);
CREATE TABLE IF NOT EXISTS steps (
    execution TEXT NOT NULL, name TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,
    started REAL NOT NULL, ended REAL, attempts INTEGER NOT NULL, properties TEXT NOT NULL,
    metadata TEXT NOT NULL, outputs TEXT NOT NULL, reason TEXT, cache_key TEXT,
    cached_from TEXT, reused_from TEXT, PRIMARY KEY (execution, name));
CREATE INDEX IF NOT EXISTS steps_by_key ON steps (cache_key) WHERE cache_key IS NOT NULL;
CREATE TABLE IF NOT EXISTS package_groups (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL, last_version INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS packages (
    arn TEXT PRIMARY KEY, name TEXT NOT NULL, group_name TEXT, version INTEGER,
    record TEXT NOT NULL, created REAL NOT NULL, modified REAL, token TEXT UNIQUE,
    UNIQUE (group_name, version));
CREATE TABLE IF NOT EXISTS models (
    name TEXT PRIMARY KEY, arn TEXT NOT NULL UNIQUE, record TEXT NOT NULL,
    created REAL NOT NULL);
CREATE TABLE IF NOT EXISTS tags (
    arn TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (arn, key));
"""


def dumps(value: Json) -> str:
    """Write JSON, maps in their order; a datetime becomes ISO 8601, as `Get` would read it."""
    return json.dumps(value, separators=(",", ":"), default=_moment)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _ignore() -> None:
    pass


class Database:
    """The state of one `.pipelines` folder.

    Args:
        home: the folder; made when it is not there.
        committed: called after each commit (tests end the process there).
    """

    def __init__(self, home: Path, committed: Callable[[], None] = _ignore) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self._committed = committed
        self._lock = threading.RLock()
        # The journal mode cannot be changed while another process looks at the file, and SQLite's
        # busy timeout does not cover that change: opening is serialised with a lock file.
        with (home / "state.lock").open("a") as guard:
            fcntl.flock(guard, fcntl.LOCK_EX)
            self._connection = self._open(home)

    @staticmethod
    def _open(home: Path) -> sqlite3.Connection:
        connection = sqlite3.connect(
            home / "state.db",
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        wanted = journal_for(home)
        (mode,) = connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()
        connection.execute(f"PRAGMA synchronous={'NORMAL' if mode == 'wal' else 'FULL'}")
        connection.executescript(_SCHEMA)
        return connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that holds the write lock; commit at the end, undo on an error."""
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        self._committed()

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Fetch the rows of one SELECT."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
