"""What a job used → one line at the end of its log, for `status` and `plan` to advise from.

    pipelines: usage {"host": "algo-1", "wall_s": 812.4, "cpu_s": 2914.0, "cpus": 4, …}

Each host writes one, a failing job as well. It costs two reads of /proc and no sampling; only where
there are GPUs is nvidia-smi asked while the job runs (`gpu.py`). What the platform does not tell is
left out.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any
    from typing import NamedTuple as Record

    from .bundle import Job
    from .child import Ended
    from .container import Container
    from .gpu import Sampler
else:
    from .record import Record

TAG = "pipelines: usage "

_MIB = 2**20
_IO = "/proc/self/io"
_RATE = re.compile(r"(\d+(?:\.\d+)?) ?(it/s|s/it|s/step|ms/step|us/step)\b")
_SECONDS = {"s/it": 1.0, "s/step": 1.0, "ms/step": 1e-3, "us/step": 1e-6}


class Begun(Record):
    """What was counted when the job began: seconds, those of the processor, bytes read.

    Args:
        wall: of the monotonic clock.
        cpu: of the processes that have ended.
        read: through system calls; None where nothing counts it.
        sampler: asks for the GPUs; None where there are none.
    """

    wall: float
    cpu: float
    read: int | None
    sampler: Sampler | None


def begin(gpus: int, folder: str) -> Begun:
    """Begin to count; the processes that end from now on are the job's.

    Args:
        gpus: how many GPUs there are.
        folder: where the samples of their load are kept.
    """
    sampler = None
    if gpus:
        from .gpu import sample  # noqa: PLC0415 - only where there are GPUs

        sampler = sample(folder)
    spent = os.times()
    cpu = spent.children_user + spent.children_system
    return Begun(time.monotonic(), cpu, _bytes_read(), sampler)


def report(begun: Begun, job: Job, container: Container, ended: Ended) -> None:
    """Write the line; a log that cannot be written to any more goes without."""
    line = json.dumps(_used(begun, job, container, ended), sort_keys=True)
    start = "\n" if ended.tail and not ended.tail.endswith("\n") else ""
    try:
        sys.stdout.write("{}{}{}\n".format(start, TAG, line))
        sys.stdout.flush()
    except OSError:
        return  # nobody reads the log, or the disk is full: the job has ended as it has


def _used(begun: Begun, job: Job, container: Container, ended: Ended) -> dict[str, Any]:
    spent, read = os.times(), _bytes_read()
    cpu = spent.children_user + spent.children_system - begun.cpu
    found = {
        "host": container.hosts.current,
        "rank": container.hosts.rank,
        "wall_s": round(time.monotonic() - begun.wall, 2),
        "cpu_s": round(cpu, 2),
        "cpus": os.cpu_count() or 1,
        "processes": _processes(job),
        "launcher": (job.distribution or {}).get("launcher"),
        "memory_mb": _largest(),
        "memory_of_mb": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // _MIB,
        "read_mb": None if read is None or begun.read is None else (read - begun.read) // _MIB,
        "step_s": _step_seconds(ended.tail),
        "gpus": begun.sampler.result() if begun.sampler is not None else None,
    }
    return {name: value for name, value in found.items() if value is not None}


def _processes(job: Job) -> int:
    """Return how many processes of the user's code a host runs."""
    if job.distribution is None or job.distribution["launcher"] == "tensorflow":
        return 1  # TensorFlow's one process computes on all that its host has
    from .command import processes_per_host  # noqa: PLC0415 - only distributed jobs have several

    return processes_per_host(job)


def _largest() -> int:
    """Return the greatest memory of any process that has ended, in MiB."""
    import resource  # noqa: PLC0415 - nothing at the start of a job needs it

    size = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return size // (1024 if sys.platform == "linux" else _MIB)


def _bytes_read() -> int | None:
    """Return how much this process, and those of its children that have ended, have read."""
    try:
        with open(_IO, "rb") as file:  # noqa: PTH123 - read twice in every job
            counted = dict(line.split(b": ") for line in file.read().splitlines())
    except (OSError, ValueError):
        return None
    return max(int(counted.get(b"rchar", 0)), int(counted.get(b"read_bytes", 0)))


def _step_seconds(tail: str) -> float | None:
    """Return the seconds of a step by the last rate that a bar has shown; None where none has."""
    found = _RATE.findall(tail[-4096:])
    if not found:
        return None
    number, unit = float(found[-1][0]), found[-1][1]
    if unit != "it/s":
        return round(number * _SECONDS[unit], 6)
    return round(1 / number, 6) if number else None
