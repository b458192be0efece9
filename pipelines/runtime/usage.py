"""What each rank used → a line at the end of its host's log, which `status` and `plan` advise from.

    pipelines: usage {"host": "algo-1", "rank": 0, "local_rank": 0, "wall_s": 812.4, "cpu_s": …}

Whoever starts a rank measures it: this process, or `measured.py` under a launcher. It costs two
reads of /proc and no sampling; only where there are GPUs is nvidia-smi asked while the job runs
(`gpu.py`). What is not known is left out, as what a rank has used that was killed together with its
`measured.py`. A line without `local_rank` counts all processes of a host: none of its ranks has
begun.
"""

from __future__ import annotations

import json
import os
import re
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pathlib import Path
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
_MEASURED = ("cpu_s", "memory_mb", "read_mb")
"""What a rank has a value of its own of; how long the job ran holds for a rank that was killed."""
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


def report(begun: Begun, job: Job, container: Container, ended: Ended, ranks: Path) -> None:
    """Write the lines; a log that cannot be written to any more goes without.

    Args:
        begun: what was counted when the job began.
        job: what has run.
        container: where.
        ended: how it ended.
        ranks: the folder of what each rank has used.
    """
    host = _of_host(begun, job, container)
    found = _of_ranks(ranks, host, begun.sampler) if job.distribution is not None else []
    if not found:
        alone = {"local_rank": 0} if host["processes"] == 1 else {}
        found = [{**host, **alone, "gpus": begun.sampler and begun.sampler.result()}]
    found[0]["step_s"] = _step_seconds(ended.tail)
    start = "\n" if ended.tail and not ended.tail.endswith("\n") else ""
    lines = (json.dumps(_known(one), sort_keys=True) for one in found)
    try:
        sys.stdout.write(start + "".join("{}{}\n".format(TAG, line) for line in lines))
        sys.stdout.flush()
    except OSError:
        return  # nobody reads the log, or the disk is full: the job has ended as it has


def _of_ranks(folder: Path, host: dict[str, Any], sampler: Sampler | None) -> list[dict[str, Any]]:
    """Return what each rank of a host has used, by its number; none where none has begun.

    Its GPU is that of its local rank if there is one for each; else the first line has all of them.
    """
    begun = sorted(filter(None, map(_record, folder.glob("*.json"))), key=_place)
    shared = {name: value for name, value in host.items() if name not in _MEASURED}
    found: list[dict[str, Any]] = [{**shared, **one} for one in begun]
    if sampler is None or not found:
        return found
    whole = sampler.result()
    if whole is not None and whole["count"] == host["processes"]:
        for one in found:
            one["gpus"] = sampler.result(one["local_rank"])
    else:
        found[0]["gpus"] = whole
    return found


def _record(path: Path) -> dict[str, Any] | None:
    """Read what a rank has used; None where the disk was full."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _place(found: dict[str, Any]) -> int:
    return int(found["rank"])


def _known(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if value is not None}


def _of_host(begun: Begun, job: Job, container: Container) -> dict[str, Any]:
    """Return what all processes of this host have used, and what there is."""
    spent, read = os.times(), _bytes_read()
    cpu = spent.children_user + spent.children_system - begun.cpu
    return {
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
    }


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
