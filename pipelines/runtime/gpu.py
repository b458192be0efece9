"""nvidia-smi, asked while a job runs → how busy the GPUs were, and how much memory they used."""

from __future__ import annotations

import os
import subprocess

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import NamedTuple as Record
else:
    from .record import Record

_QUERY = "--query-gpu=index,utilization.gpu,memory.used,memory.total"
_WORDS = ("nvidia-smi", _QUERY, "--format=csv,noheader,nounits", "-l", "5")


class Sampler(Record):
    """A process that writes the load of the GPUs into a file; it ends with the job."""

    process: subprocess.Popen[bytes]
    path: str

    def result(self, index: int | None = None) -> dict[str, Any] | None:
        """Return the number of GPUs, their mean load in percent, and their greatest memory in MiB.

        None where nvidia-smi has written nothing that can be read.

        Args:
            index: of which GPU; None of all.
        """
        try:
            with open(self.path, encoding="utf-8") as file:  # noqa: PTH123 - the path is text
                rows = [row for row in map(_row, file) if row and index in (None, row[0])]
        except OSError:
            return None
        if not rows:
            return None
        return {
            "count": len({row[0] for row in rows}),
            "busy_percent": round(sum(row[1] for row in rows) / len(rows), 1),
            "memory_mb": max(row[2] for row in rows),
            "memory_of_mb": max(row[3] for row in rows),
        }


def sample(folder: str) -> Sampler | None:
    """Begin to ask; None where there is no nvidia-smi."""
    path = os.path.join(folder, "gpus.csv")  # noqa: PTH118 - as above
    try:
        with open(path, "wb") as file:  # noqa: PTH123 - as above
            process = subprocess.Popen(
                _WORDS, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.DEVNULL
            )
    except OSError:
        return None
    return Sampler(process, path)


def _row(line: str) -> tuple[int, ...] | None:
    """Read index, load, memory used and memory there is; None for `[N/A]` and half a line."""
    parts = line.split(",")
    if len(parts) != 4 or not line.endswith("\n"):
        return None
    try:
        return tuple(int(part) for part in parts)
    except ValueError:
        return None
