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

from pipelines.backends.local.state.errors import explained, no_home
from pipelines.backends.local.state.journal import journal_for
from pipelines.backends.local.state.schema import prepare
from pipelines.json_types import Json

_BUSY_SECONDS = 60.0


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

    Raises:
        StateError: the folder or the file cannot be used; so do all operations.
    """

    def __init__(self, home: Path, committed: Callable[[], None] = _ignore) -> None:
        self.home = home
        self._file = home / "state.db"
        self._committed = committed
        self._lock = threading.RLock()
        # The journal mode cannot be changed while another process looks at the file, and SQLite's
        # busy timeout does not cover that change: opening is serialised with a lock file.
        try:
            home.mkdir(parents=True, exist_ok=True)
            with (home / "state.lock").open("a") as guard, explained(self._file):
                fcntl.flock(guard, fcntl.LOCK_EX)
                self._connection = self._open()
        except OSError as error:
            raise no_home(home, error) from error

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self._file,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        try:
            self._set_up(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _set_up(self, connection: sqlite3.Connection) -> None:
        wanted = journal_for(self.home)
        (mode,) = connection.execute(f"PRAGMA journal_mode={wanted}").fetchone()
        connection.execute(f"PRAGMA synchronous={'NORMAL' if mode == 'wal' else 'FULL'}")
        prepare(connection, self._file)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Give a connection that holds the write lock; commit at the end, undo on an error."""
        with self._lock, explained(self._file):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # a full disk has undone it already
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        self._committed()

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Fetch the rows of one SELECT."""
        with self._lock, explained(self._file):
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
