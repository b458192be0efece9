"""What the processes of a server have spent, its descendants included (Linux)."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

_TICK = 1 / os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: int) -> float:
    """Return the processor time of a process and of all its descendants that run now."""
    parents, spent = dict[int, int](), dict[int, float]()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
            parents[int(folder.name)] = int(fields[1])
            spent[int(folder.name)] = (int(fields[11]) + int(fields[12])) * _TICK
    return sum(seconds for one, seconds in spent.items() if _descends(one, process, parents))


def _descends(process: int, ancestor: int, parents: dict[int, int]) -> bool:
    while process not in {0, ancestor}:
        process = parents.get(process, 0)
    return process == ancestor
