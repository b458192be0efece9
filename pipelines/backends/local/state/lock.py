"""Who runs an execution, or carries out an endpoint's change: a lock in its folder."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.backends.local.state import flock
from pipelines.errors import UsageError

LOCK_FILE = ".lock"


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
        if not flock.take(file):
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
    """Say whether a live process holds the lock of an execution's folder."""
    try:
        file = (folder / LOCK_FILE).open(encoding="ascii")
    except FileNotFoundError:
        return False
    with file:
        return flock.is_held(file)
