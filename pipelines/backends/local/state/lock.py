"""Who runs an execution: an `flock` held for as long as the process lives.

The kernel releases it when the process dies, however it dies: there are no stale locks to judge
by process ids that may have been given to somebody else.
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
_TRIES = 10
_PAUSE_SECONDS = 0.01


@contextmanager
def running(folder: Path, name: str) -> Iterator[None]:
    """Hold the lock of an execution's folder.

    Args:
        folder: the execution's folder; made when it is not there.
        name: what to call the execution in the message.

    Raises:
        UsageError: another process, or another thread of this one, is running it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("a+", encoding="ascii") as file:
        if not _taken(file):
            file.seek(0)
            raise UsageError(
                f"execution {name} is running in process {file.read().strip() or 'unknown'}",
                "wait for it, or stop it; an execution can be resumed once its process has ended",
            )
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _taken(file: IO[str]) -> bool:
    """Take the lock; a holder of a few milliseconds is somebody who only asked `is_running`."""
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_SECONDS)
        else:
            return True
    return False


def is_running(folder: Path) -> bool:
    """Say whether a live process holds the lock of an execution's folder."""
    try:
        file = (folder / LOCK_FILE).open("rb")
    except FileNotFoundError:
        return False
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False
