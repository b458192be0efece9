"""File locks: who runs an execution, carries out an endpoint's change, or serves a project.

The kernel releases an `flock` when the process dies, however it dies: there are no stale locks to
judge by process ids, which may belong to another process by now.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pipelines.errors import UsageError

LOCK_FILE = ".lock"
TRIES = 20
PAUSE_SECONDS = 0.01


def take(file: IO[str]) -> bool:
    """Take a file's lock; return whether it was free.

    A holder of a few milliseconds is a process that called `is_held`: this waits for it.
    """
    for _ in range(TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(PAUSE_SECONDS)
        else:
            return True
    return False


def is_held(file: IO[str]) -> bool:
    """Return whether a live process holds a file's lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


@contextmanager
def running(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of an execution's, or an endpoint's, folder.

    Args:
        folder: the folder; created if missing.
        name: the execution's name in the message.

    Raises:
        UsageError: another process, or another thread of this one, is running it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+", encoding="ascii") as file:
        if not take(file):
            file.seek(0)
            raise UsageError(
                f"execution {name} is running in process {file.read().strip() or 'unknown'}",
                "wait for it, or stop it; an execution can be resumed once its process has ended",
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_running(folder: Path) -> bool:
    """Return whether a live process holds the lock of a folder."""
    try:
        file = (folder / LOCK_FILE).open(encoding="ascii")
    except FileNotFoundError:
        return False
    with file:
        return is_held(file)
