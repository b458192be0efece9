"""Which processes run jobs: each holds the lock of a file of its own while it lives.

A job's row names its owner. The kernel releases the lock when the process dies, however it dies,
so a job whose owner's lock is free is one that nobody runs.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from pipelines.backends.local.state import locks

_FOLDER = "owners"


class JobOwner:
    """This process, as the owner of the jobs that it runs.

    Args:
        home: the `.pipelines` folder.
    """

    def __init__(self, home: Path) -> None:
        self._folder = home / _FOLDER
        self._name = f"{os.getpid()}-{secrets.token_hex(8)}"
        self._path = self._folder / self._name
        self._file: IO[str] | None = None
        self._guard = threading.Lock()

    @property
    def name(self) -> str:
        """What the rows of its jobs call it; its lock is held from now on."""
        with self._guard:
            while self._file is None:
                self._folder.mkdir(parents=True, exist_ok=True)
                file = self._path.open("w", encoding="ascii")
                fcntl.flock(file, fcntl.LOCK_EX)
                if self._path.exists():  # nobody has taken it for a dead one's meanwhile
                    self._file = file
                else:
                    file.close()
        return self._name

    def is_self(self, owner: str) -> bool:
        """Return whether an owner is this process."""
        return owner == self._name

    def is_alive(self, owner: str) -> bool:
        """Return whether an owner's process lives."""
        if self.is_self(owner):
            return True
        try:
            file = (self._folder / owner).open(encoding="ascii")
        except (FileNotFoundError, IsADirectoryError):
            return False
        with file:
            return locks.is_held(file)

    def forget_dead(self) -> None:
        """Remove the files of the processes that have died."""
        for path in self._folder.glob("*"):
            with suppress(FileNotFoundError), path.open(encoding="ascii") as file:
                if path != self._path and _take(file):
                    path.unlink()

    def close(self) -> None:
        """Release the lock: none of its jobs runs any more."""
        with self._guard:
            if self._file is not None:
                self._path.unlink(missing_ok=True)
                self._file.close()
                self._file = None


def _take(file: IO[str]) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
