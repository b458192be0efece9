"""What the ranks of a job used: the lines that the runtime writes at the end of each host's log."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.execution import logs
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.runtime.usage import TAG

_LAST_LINES = 400
"""The lines are the last ones, of up to 256 ranks, but for what is said of a failure after them."""

_MOST_HOSTS = 8
"""How many hosts of a job are read; the others do what these do."""


@frozen
class GpuUsage:
    """The GPUs of a host: their mean load in percent, the most memory used of one, in MiB."""

    count: int
    busy_percent: float
    memory: float
    memory_of: float


@frozen
class Usage:
    """What a rank of a job used, or all ranks of a host, and what that host has.

    Args:
        host: the name of the host.
        wall: seconds that it ran.
        cpu: seconds of processors; None of a rank that was killed before anybody could look.
        cpus: how many the host has.
        processes: how many ranks the host runs.
        memory: of the largest process, in MiB.
        memory_of: what the host has, in MiB.
        read: MiB that were read; None where nothing counted it.
        step: seconds of a step, by the last rate in the log of the host; None where it has none.
        gpus: a rank's own, and on the first rank all of the host where it is not known whose they
            are; None where there are none, or nobody could say.
        launcher: what started the processes; None where nothing did.
    """

    host: str
    wall: float
    cpu: float | None
    cpus: int
    processes: int = 1
    memory: float = 0.0
    memory_of: float = 0.0
    read: float | None = None
    step: float | None = None
    gpus: GpuUsage | None = None
    launcher: str | None = None

    @property
    def busy(self) -> float:
        """The share of its host's processors that was in use, from 0 to 1."""
        known = self.wall > 0 and self.cpus > 0
        return (self.cpu or 0.0) / (self.wall * self.cpus) if known else 0.0


@frozen
class RankUsage(Usage):
    """What one rank of a job used.

    Args:
        rank: its number among all of the job.
        called: MiB that calls asked for, where the disk gave more: what ranks of a host have mapped
            counts for the one that was first.
    """

    rank: int = 0
    called: float | None = None

    @property
    def read_alone(self) -> float:
        """MiB that it has read itself, without what another rank may have read for it."""
        return (self.called if self.called is not None else self.read) or 0.0


@frozen
class HostUsage(Usage):
    """What all ranks of one host used: their sum.

    Args:
        cpu: seconds of processors.
        ranks: each of them; none in the line of a bundle that counts a host's processes together.
    """

    cpu: float
    ranks: tuple[RankUsage, ...] = ()

    @property
    def peak(self) -> float:
        """The memory of all its processes, were each at its peak at the same time, in MiB."""
        of_each = sum(one.memory for one in self.ranks)
        return of_each if self.ranks else self.memory * self.processes


def is_usage(line: str) -> bool:
    """Return whether a line of a log is about usage, and nothing that the user's code wrote."""
    return line.startswith(TAG)


def usage_in(line: str) -> RankUsage | HostUsage | None:
    """Read a line; None where it is another one, or not written by this runtime."""
    if not is_usage(line):
        return None
    try:
        found = json.loads(line[len(TAG) :])
        return _rank(found) if "local_rank" in found else _host(found)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError, OverflowError):
        return None


def used_by(caller: Caller, step: JsonObject) -> tuple[HostUsage, ...]:
    """Read what the hosts of a step's latest attempt used; what may not be read is left out.

    Args:
        caller: where.
        step: the step as ListPipelineExecutionSteps gives it.
    """
    try:
        found = logs.streams(caller, step)
        latest = [stream for stream in found if stream.job == found[-1].job][:_MOST_HOSTS]
        hosts = (
            host_in(line.text for line in logs.latest(caller, stream, _LAST_LINES))
            for stream in latest
        )
        return tuple(host for host in hosts if host is not None)
    except CallRefusedError:
        return ()


def host_in(lines: Iterable[str]) -> HostUsage | None:
    """Return what a host used, by the end of its log; None where it is not known of all ranks."""
    ranks = dict[int, RankUsage]()
    whole: HostUsage | None = None
    for used in (found for found in map(usage_in, lines) if found is not None):
        if isinstance(used, RankUsage):
            ranks[used.rank] = used
        else:
            whole = used
    return _sum(sorted(ranks.values(), key=lambda one: one.rank)) if ranks else whole


def _sum(ranks: Sequence[RankUsage]) -> HostUsage | None:
    first, seconds = ranks[0], [one.cpu for one in ranks if one.cpu is not None]
    if len(seconds) < first.processes:
        return None  # of a rank that was killed, or has not begun, it is not known
    reads = [one.read for one in ranks if one.read is not None]
    return HostUsage(
        host=first.host,
        wall=max(one.wall for one in ranks),
        cpu=sum(seconds),
        cpus=first.cpus,
        processes=first.processes,
        memory=max(one.memory for one in ranks),
        memory_of=first.memory_of,
        read=sum(reads) if reads else None,
        step=next((one.step for one in ranks if one.step is not None), None),
        gpus=_all_gpus([one.gpus for one in ranks if one.gpus is not None]),
        launcher=first.launcher,
        ranks=tuple(ranks),
    )


def _all_gpus(found: Sequence[GpuUsage]) -> GpuUsage | None:
    count = sum(one.count for one in found)
    if not count:
        return None
    return GpuUsage(
        count=count,
        busy_percent=sum(one.busy_percent * one.count for one in found) / count,
        memory=max(one.memory for one in found),
        memory_of=max(one.memory_of for one in found),
    )


def _rank(found: Mapping[str, Json]) -> RankUsage:
    rank, called = int(_number(found["rank"])), _optional(found, "called_mb")
    return RankUsage(**_common(found), rank=rank, called=called)


def _host(found: Mapping[str, Json]) -> HostUsage:
    """Read the line of a bundle that counts all processes of a host together."""
    return HostUsage(**{**_common(found), "cpu": _number(found["cpu_s"])})


def _common(found: Mapping[str, Json]) -> dict[str, Any]:
    """Return the fields that a line has of a rank and of a host."""
    return {
        "host": str(found["host"]),
        "wall": _number(found["wall_s"]),
        "cpu": _optional(found, "cpu_s"),
        "cpus": int(_number(found["cpus"])),
        "processes": int(_number(found.get("processes", 1))),
        "memory": _number(found.get("memory_mb", 0)),
        "memory_of": _number(found.get("memory_of_mb", 0)),
        "read": _optional(found, "read_mb"),
        "step": _optional(found, "step_s"),
        "gpus": _gpus(found.get("gpus")),
        "launcher": None if found.get("launcher") is None else str(found["launcher"]),
    }


def _gpus(found: Json) -> GpuUsage | None:
    if found is None:
        return None
    return GpuUsage(
        count=int(_number(found["count"])),
        busy_percent=_number(found["busy_percent"]),
        memory=_number(found.get("memory_mb", 0)),
        memory_of=_number(found.get("memory_of_mb", 0)),
    )


def _optional(found: Mapping[str, Json], name: str) -> float | None:
    return None if found.get(name) is None else _number(found[name])


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)
