"""The file `state.db`: one SQLite database for several threads and several processes.

Every change is one transaction, so a process may be killed at any point. In WAL mode a commit
survives the death of the process without an fsync; with the rollback journal SQLite syncs itself.
The statements are in the stores beside this module.
"""

from __future__ import annotations

import fcntl
import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import wraps
from pathlib import Path, PurePath
from typing import Literal, Self, TypeVar

from pipelines.backends.local.state.home import open_home
from pipelines.backends.local.state.schema import VERSION, upgrade_script
from pipelines.backends.local.state.watch import Watch
from pipelines.errors import UsageError, free_space
from pipelines.files import real
from pipelines.json_types import Json

_BUSY_SECONDS = 60.0
_SHARED = ("nfs", "cifs", "smb", "9p", "lustre", "fuse.", "ceph", "gfs", "virtiofs", "afs")
_MOUNTS = Path("/proc/self/mounts")
_DAMAGED = (
    "it is damaged",
    (
        "restore it, or move it away: executions and registered versions are lost with it, "
        "the objects under s3/ remain"
    ),
)
_NOT_WRITABLE = ("it cannot be opened for writing", "make it and its folder writable")
_KNOWN: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _NOT_WRITABLE,
    sqlite3.SQLITE_READONLY: _NOT_WRITABLE,
    sqlite3.SQLITE_PERM: _NOT_WRITABLE,
    sqlite3.SQLITE_FULL: ("the disk is full", "free some space, then resume with `run --resume`"),
    sqlite3.SQLITE_IOERR: ("it cannot be read or written", "check the disk"),
    sqlite3.SQLITE_BUSY: ("another process has locked it", "wait for that process, or end it"),
}
_OF_DISKS = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR)
_PRIMARY = 0xFF
_GARBLED = "Could not decode to UTF-8"  # has no code of its own
RecordT = TypeVar("RecordT")


class StateError(UsageError):
    """The state cannot be used as it is."""


def dumps(value: Json) -> str:
    """Write JSON, keys in their order; a datetime becomes ISO 8601, as `Get` would read it."""
    return json.dumps(value, separators=(",", ":"), default=_moment)


def _moment(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} is not JSON")


def from_row(read: Callable[[sqlite3.Row], RecordT]) -> Callable[[sqlite3.Row], RecordT]:
    """Make a reader of rows raise a StateError where a row is not what was written."""

    @wraps(read)
    def checked(row: sqlite3.Row) -> RecordT:
        try:
            return read(row)
        except (KeyError, TypeError, ValueError) as error:
            problem, remedy = _DAMAGED
            raise StateError(
                f"a row of .pipelines/state.db: {problem} ({error})", remedy
            ) from error

    return checked


def upsert(table: str, columns: tuple[str, ...], keys: str) -> str:
    """Return the SQL that writes one row; an update is an UPDATE, and the row keeps its place."""
    changes = ", ".join(f"{column} = excluded.{column}" for column in columns)
    holes = ", ".join("?" * len(columns))
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({holes}) "  # noqa: S608 - our own names
        f"ON CONFLICT ({keys}) DO UPDATE SET {changes}"
    )


def _ignore() -> None:
    pass


class Database:
    """The state of one `.pipelines` folder.

    Args:
        home: the folder; created if missing.
        committed: called after each commit (tests kill the process there).

    Attributes:
        watch: tells whether anything in it has changed.

    Raises:
        StateError: the folder or the file cannot be used; all operations raise it too.
    """

    def __init__(self, home: Path, committed: Callable[[], None] = _ignore) -> None:
        self.home = home
        self._file = home / "state.db"
        self.watch = Watch(self._file)
        self._committed = committed
        self._lock = threading.RLock()
        # The journal mode cannot be changed while another process reads the file, and SQLite's
        # busy timeout does not cover that change: a lock file serialises opening.
        try:
            open_home(home)
            with (home / "state.lock").open("a") as guard, _explained(self._file):
                fcntl.flock(guard, fcntl.LOCK_EX)
                self._connection = self._open()
        except OSError as error:
            raise StateError(
                f"{home} cannot be used: {error.strerror}",
                "it has to be a writable folder: it holds runs, artifacts and models",
            ) from error

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Yield a connection that holds the write lock; commit at the end, roll back on an error.

        A transaction within a transaction of the same thread is a part of the outer one.
        """
        with self._lock, _explained(self._file):
            if self._connection.in_transaction:
                yield self._connection
                return
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:  # a full disk has already rolled it back
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        self._committed()

    def read(self, query: str, *values: object) -> list[sqlite3.Row]:
        """Fetch the rows of a SELECT."""
        with self._lock, _explained(self._file):
            return self._connection.execute(query, values).fetchall()

    def close(self) -> None:
        """Close the file."""
        self.watch.close()
        with self._lock:
            self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

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
        journal = _journal_for(self.home)
        (mode,) = connection.execute(f"PRAGMA journal_mode={journal}").fetchone()
        connection.execute(f"PRAGMA synchronous={'NORMAL' if mode == 'wal' else 'FULL'}")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        script = upgrade_script(version if tables else None)
        if script is None:
            raise StateError(
                f"the state {self._file} was created by a newer version of pipelines"
                f" (its format is {version}, this version reads {VERSION})",
                "use that version, or move the folder away and start with a new one",
            )
        if script:
            connection.executescript(script)


def _journal_for(folder: Path) -> Literal["WAL", "DELETE"]:
    """Choose the journal for a database in an existing folder.

    WAL needs memory shared between the processes that use a file, which network file systems do
    not provide. The mount table decides, because there WAL corrupts silently instead of failing.
    """
    try:
        mounts = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:  # not Linux: SQLite's own check of the file system decides
        return "WAL"
    return journal_from(real(folder), mounts)


def journal_from(folder: PurePath, mounts: str) -> Literal["WAL", "DELETE"]:
    """Choose by a mount table in the form of `/proc/self/mounts`; the deepest mount counts."""
    best, kind = PurePath("/"), ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        point = PurePath(fields[1].replace("\\040", " "))
        if folder.is_relative_to(point) and len(point.parts) >= len(best.parts):
            best, kind = point, fields[2]
    return "DELETE" if kind.startswith(_SHARED) else "WAL"


@contextmanager
def _explained(file: Path) -> Iterator[None]:
    """Turn SQLite's error about a file into a StateError; errors of our statements stay as is.

    Raises:
        StateError: the file cannot be used.
        UsageError: what was asked for is no text that it could hold.
    """
    try:
        yield
    except UnicodeEncodeError as error:
        raise UsageError(f"{error.object!a} is not valid Unicode, so it names nothing") from error
    except (sqlite3.DatabaseError, UnicodeDecodeError) as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        is_garbled = isinstance(error, UnicodeDecodeError) or str(error).startswith(_GARBLED)
        if code not in _KNOWN and not is_garbled:
            raise
        problem, remedy = _DAMAGED if is_garbled else _KNOWN[code]
        said = f"{error}; {free_space(file)}" if code in _OF_DISKS else str(error)
        raise StateError(f"the state {file}: {problem} ({said})", remedy) from error
