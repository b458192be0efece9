"""What can be the matter with the state's file or its folder, in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from pipelines.errors import UsageError

_DAMAGED = (
    "it is damaged",
    (
        "restore it, or move it away: executions and registered versions are forgotten with it, "
        "the objects under s3/ stay"
    ),
)
_LOCKED_OUT = ("it cannot be opened for writing", "make it and its folder writable")
_KNOWN: Mapping[int, tuple[str, str]] = {
    sqlite3.SQLITE_NOTADB: _DAMAGED,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_CANTOPEN: _LOCKED_OUT,
    sqlite3.SQLITE_READONLY: _LOCKED_OUT,
    sqlite3.SQLITE_PERM: _LOCKED_OUT,
    sqlite3.SQLITE_FULL: ("the disk is full", "make room, then go on with `run --resume`"),
    sqlite3.SQLITE_IOERR: ("it cannot be read or written", "look at the disk"),
    sqlite3.SQLITE_BUSY: ("another process holds it", "wait for that process, or end it"),
}
_PRIMARY = 0xFF


class StateError(UsageError):
    """The state cannot be used as it is."""


@contextmanager
def explained(file: Path) -> Iterator[None]:
    """Turn what SQLite and the system say about a file into a StateError.

    Errors of our own statements stay as they are.
    """
    try:
        yield
    except sqlite3.DatabaseError as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code not in _KNOWN:
            raise
        problem, remedy = _KNOWN[code]
        raise StateError(f"the state {file}: {problem} ({error})", remedy) from error


def no_home(home: Path, error: OSError) -> StateError:
    """Say that the folder of the local SageMaker cannot be made or used."""
    return StateError(
        f"{home} cannot be used: {error.strerror}",
        "it has to be a writable folder: runs, artifacts and models are kept in it",
    )
