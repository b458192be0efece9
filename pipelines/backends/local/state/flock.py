"""A file that a process holds for as long as it lives, and a question that takes nothing away.

The kernel releases an `flock` when the process dies, however it dies: there are no stale locks to
judge by process ids that may have been given to somebody else.
"""

from __future__ import annotations

import fcntl
import time
from typing import IO

TRIES = 20
PAUSE_SECONDS = 0.01


def take(file: IO[str]) -> bool:
    """Take a file's lock, and say whether it was free.

    A holder of a few milliseconds is somebody who only asked `is_held`: it is waited for.
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
    """Say whether a live process has taken a file's lock."""
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False
