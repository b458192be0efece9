"""A job that has run, as the rules see it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Literal

from pipelines.advice.sizes import known_types, next_bigger, next_with_more_gpus
from pipelines.execution.usage import GpuUsage, HostUsage, RankUsage
from pipelines.frozen import frozen
from pipelines.images.gpus import gpus_of
from pipelines.images.instances import accelerator_of, is_neuron
from pipelines.json_types import JsonObject
from pipelines.steptypes.clusters import choices
from pipelines.steptypes.places import below, value_at
from pipelines.steptypes.steptype import StepType

LEAST_SECONDS = 60.0
"""A job that ran for less says little: starting, importing and caches are most of it."""

BUSY = 0.85
"""The share of the time from which on a processor is what a job waits for."""

GPU_BUSY_PERCENT = 100 * BUSY
"""The same of a GPU, in percent as nvidia-smi has it."""

_MINUTE, _HOUR = 60, 3600
_STARTING = frozenset({"Starting", "Pending", "LaunchingMLInstances", "PreparingTrainingStack"})


@frozen
class ObservedJob:
    """A job that has ended.

    Args:
        step: its step.
        type: the step's Type.
        described: the response of its Describe.
        hosts: what its hosts used.
        is_local: whether it ran on this machine, whose resources are not those of the account.
    """

    step: str
    type: StepType
    described: JsonObject
    hosts: tuple[HostUsage, ...]
    is_local: bool = False

    @property
    def wall(self) -> float:
        """How long the user's code ran, in seconds."""
        return max((host.wall for host in self.hosts), default=0.0)

    @property
    def busiest(self) -> HostUsage:
        """The host with the greatest share of its processors in use."""
        return max(self.hosts, key=lambda host: host.busy)

    @property
    def instance_type(self) -> str | None:
        """The type that it ran on; None for groups."""
        for cluster in self.type.clusters:
            for _, asked in below(self.described, cluster.at):
                chosen = value_at(asked, "SelectedInstanceType")
                named = [value_at(one, cluster.type) for one in choices(asked)]
                found = chosen or next((one for one in named if one), None)
                if isinstance(found, str):
                    return found
        return None

    @property
    def ranks(self) -> list[RankUsage]:
        """Each rank of all hosts; none where a bundle counted a host's processes together."""
        return [one for host in self.hosts for one in host.ranks]

    @property
    def busiest_gpus(self) -> GpuUsage | None:
        """The GPUs of the host where they were busiest; None where there are none."""
        found = [host.gpus for host in self.hosts if host.gpus is not None]
        return max(found, key=lambda gpus: gpus.busy_percent, default=None)

    @property
    def has_accelerators(self) -> bool:
        """Whether its instances have GPUs or Neuron cores, by their type."""
        own = self.instance_type or ""
        return accelerator_of(own) == "gpu" or is_neuron(own)

    @property
    def is_biggest(self) -> bool:
        """Whether its instance type is known to be the biggest one of its family."""
        own, known = self.instance_type, known_types(self.type)
        return own in known and next_bigger(own, known) is None

    @property
    def bigger(self) -> str:
        """A bigger instance, in words: the next type of the family where there is one."""
        own = self.instance_type
        found = None if own is None else next_bigger(own, known_types(self.type))
        return "a bigger instance" if found is None else f"a bigger instance, such as {found}"

    @property
    def more_gpus(self) -> str | None:
        """An instance with more GPUs, in words; None where it is known that its family has none."""
        own = self.instance_type
        found = None if own is None else next_with_more_gpus(own, known_types(self.type))
        if found is not None:
            return f"an instance with more GPUs, such as {found}"
        has_most = self.is_biggest or (own is not None and gpus_of(own) is not None)
        return None if has_most else "an instance with more GPUs"

    @property
    def takes_distribution(self) -> bool:
        """Whether its step may have `distribution:`, as trainings alone may."""
        return bool(value_at(self.described, "ResourceConfig"))

    def seconds_in(self, *statuses: str) -> float:
        """Return how long a training job was in some secondary statuses."""
        return sum(map(_seconds, self._transitions(frozenset(statuses))))

    @property
    def starting(self) -> float:
        """How long its instances were waited for, in seconds."""
        return sum(map(_seconds, self._transitions(_STARTING)))

    def _transitions(self, statuses: frozenset[str]) -> list[JsonObject]:
        found = self.described.get("SecondaryStatusTransitions") or ()
        return [one for one in found if one.get("Status") in statuses]


@frozen
class Rule:
    """One piece of advice.

    Args:
        order: where it stands; of rules with the same subject only the first is told.
        subject: what would be changed, such as `instances`.
        anywhere: whether it holds for the account when the job ran on another machine.
        advise: returns what to do and why, or None.
    """

    order: int
    subject: Literal["instances", "processes", "ranks", "data", "price", "start"]
    advise: Callable[[ObservedJob], str | None]
    anywhere: bool = False


def gigabytes(mebibytes: float) -> str:
    """Write an amount of memory."""
    return f"{mebibytes / 1024:.1f} GB"


def time_of(seconds: float) -> str:
    """Write a time, exact enough to judge it."""
    if seconds < 2 * _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"


def _seconds(transition: JsonObject) -> float:
    began, ended = transition.get("StartTime"), transition.get("EndTime")
    if not isinstance(began, datetime) or not isinstance(ended, datetime):
        return 0.0
    return (ended - began).total_seconds()
