"""The processes below this one: found, and killed to the last.

Those of a child's group are not all: torchrun puts its workers into sessions of their own. On Linux
this process is the subreaper of what is left (`child.py`), so that /proc shows every one.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator


def end_descendants(pid: int, *, reap: bool = True) -> None:
    """Kill the group of `pid`, if it leads one, and every process below this one, to the last."""
    signal_group(pid, signal.SIGKILL)
    while not reap or _has_children():
        below = list(descendants())
        for process in below:
            _signal(process, signal.SIGKILL)
        if not reap or not _wait_for_one():
            return


def _has_children() -> bool:
    try:
        os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return False
    return True


def _wait_for_one() -> bool:
    try:
        os.waitpid(-1, 0)
    except ChildProcessError:
        return False
    return True


def descendants() -> Iterator[int]:
    """Yield every process below this one, from /proc; nothing without one (macOS)."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*") if sys.platform == "linux" else ():
        children.setdefault(parent_of(int(entry.name)), []).append(int(entry.name))
    queue = [os.getpid()]
    while queue:
        found = children.get(queue.pop(), [])
        yield from found
        queue += found


def parent_of(process: int) -> int:
    """Return the parent of a process; 0 if it has just ended."""
    try:
        stat = Path(f"/proc/{process}/stat").read_bytes()
    except OSError:
        return 0
    return int(stat[stat.rindex(b")") + 2 :].split()[1])


def signal_group(pid: int, number: int) -> None:
    """Send a signal to the group of a process, if there is anybody in it."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # no process is left in it


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return  # it has ended, or belongs to another user
