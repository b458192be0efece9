"""What the ranks of a job used: the lines that the runtime writes at the end of each host's log."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence

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
class RankUsage:
    """What one rank of a job used, and what its host has.

    Args:
        host: the name of its host.
        rank: its number among all of the job.
        wall: seconds that it ran.
        cpu: seconds of processors; None of a rank that was killed before anybody could look.
        cpus: how many its host has.
        processes: how many ranks its host runs.
        memory: of its largest process, in MiB.
        memory_of: what its host has, in MiB.
        read: MiB that were read; None where nothing counted it.
        step: seconds of a step, by the last rate in the log of its host; None where it has none.
        gpus: its own; of the first rank all of its host where it is not known whose they are.
        launcher: what started it; None where nothing did.
        called: MiB that calls asked for, where the disk gave more: what ranks of a host have mapped
            counts for the one that was first.
    """

    host: str
    rank: int
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
    called: float | None = None

    @property
    def read_alone(self) -> float:
        """MiB that it has read itself, without what another rank may have read for it."""
        return (self.called if self.called is not None else self.read) or 0.0


@frozen
class HostUsage:
    """What all ranks of one host used: their sum.

    Args:
        host: its name.
        wall: seconds that the user's code ran.
        cpu: seconds of processors.
        cpus: how many it has.
        processes: how many of the user's code it ran.
        memory: of the largest process, in MiB.
        memory_of: what the host has, in MiB.
        read: MiB that were read; None where nothing counted it.
        step: seconds of a step, by the last rate in the log; None where it has none.
        gpus: None where it has none, or nobody could say.
        launcher: what started its processes; None where nothing did.
        ranks: each of them; none in the line of a bundle that counts a host's processes together.
    """

    host: str
    wall: float
    cpu: float
    cpus: int
    processes: int = 1
    memory: float = 0.0
    memory_of: float = 0.0
    read: float | None = None
    step: float | None = None
    gpus: GpuUsage | None = None
    launcher: str | None = None
    ranks: tuple[RankUsage, ...] = ()

    @property
    def busy(self) -> float:
        """The share of its processors that was in use, from 0 to 1."""
        return self.cpu / (self.wall * self.cpus) if self.wall > 0 and self.cpus > 0 else 0.0

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
    return RankUsage(
        host=str(found["host"]),
        rank=int(_number(found["rank"])),
        wall=_number(found["wall_s"]),
        cpu=_optional(found, "cpu_s"),
        cpus=int(_number(found["cpus"])),
        processes=int(_number(found.get("processes", 1))),
        memory=_number(found.get("memory_mb", 0)),
        memory_of=_number(found.get("memory_of_mb", 0)),
        read=_optional(found, "read_mb"),
        step=_optional(found, "step_s"),
        gpus=_gpus(found.get("gpus")),
        launcher=None if found.get("launcher") is None else str(found["launcher"]),
        called=_optional(found, "called_mb"),
    )


def _host(found: Mapping[str, Json]) -> HostUsage:
    """Read the line of a bundle that counts all processes of a host together."""
    one = _rank({"rank": 0, **found})
    return HostUsage(
        host=one.host,
        wall=one.wall,
        cpu=_number(found["cpu_s"]),
        cpus=one.cpus,
        processes=one.processes,
        memory=one.memory,
        memory_of=one.memory_of,
        read=one.read,
        step=one.step,
        gpus=one.gpus,
        launcher=one.launcher,
    )


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
