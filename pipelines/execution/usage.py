"""What the hosts of a job used: the lines that the runtime writes at the end of their logs."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping

from pipelines.execution import logs
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.runtime.usage import TAG

_LAST_LINES = 50
"""The line is the last one, but for what a failing job or a launcher says after it."""

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
class HostUsage:
    """What one host of a job used.

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

    @property
    def busy(self) -> float:
        """The share of its processors that was in use, from 0 to 1."""
        return self.cpu / (self.wall * self.cpus) if self.wall > 0 and self.cpus > 0 else 0.0


def is_usage(line: str) -> bool:
    """Return whether a line of a log is about usage, and nothing that the user's code wrote."""
    return line.startswith(TAG)


def usage_in(line: str) -> HostUsage | None:
    """Read a line; None where it is another one, or not written by this runtime."""
    if not is_usage(line):
        return None
    try:
        found = json.loads(line[len(TAG) :])
        return _read(found)
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
        return tuple(usage for stream in latest for usage in _of_stream(caller, stream))
    except CallRefusedError:
        return ()


def _of_stream(caller: Caller, stream: logs.LogStream) -> Iterator[HostUsage]:
    lines = logs.latest(caller, stream, _LAST_LINES)
    usages = (usage_in(line.text) for line in reversed(lines))
    found = next((usage for usage in usages if usage is not None), None)
    if found is not None:
        yield found


def _read(found: Mapping[str, Json]) -> HostUsage:
    gpus = found.get("gpus")
    return HostUsage(
        host=str(found["host"]),
        wall=_number(found["wall_s"]),
        cpu=_number(found["cpu_s"]),
        cpus=int(_number(found["cpus"])),
        processes=int(_number(found.get("processes", 1))),
        memory=_number(found.get("memory_mb", 0)),
        memory_of=_number(found.get("memory_of_mb", 0)),
        read=None if found.get("read_mb") is None else _number(found["read_mb"]),
        step=None if found.get("step_s") is None else _number(found["step_s"]),
        gpus=None if gpus is None else _gpus(gpus),
        launcher=None if found.get("launcher") is None else str(found["launcher"]),
    )


def _gpus(found: Mapping[str, Json]) -> GpuUsage:
    return GpuUsage(
        count=int(_number(found["count"])),
        busy_percent=_number(found["busy_percent"]),
        memory=_number(found.get("memory_mb", 0)),
        memory_of=_number(found.get("memory_of_mb", 0)),
    )


def _number(value: Json) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(value)
    return float(value)
