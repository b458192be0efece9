"""Whether `state.db` has changed, told without waiting for those who write it."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path


class Watch:
    """A connection of its own, which is opened when it is first asked.

    Args:
        file: the database.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._guard = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def version(self) -> int | None:
        """Return a number that is another one after each commit, whichever process made it.

        None where that cannot be told at once.
        """
        with self._guard:
            try:
                if self._connection is None:
                    self._connection = sqlite3.connect(
                        self._file, timeout=0, isolation_level=None, check_same_thread=False
                    )
                (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            except sqlite3.Error:
                return None
        return int(version)

    def close(self) -> None:
        """Close the connection."""
        with self._guard:
            if self._connection is not None:
                self._connection.close()
