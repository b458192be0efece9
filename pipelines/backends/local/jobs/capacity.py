"""The instances of a job: of several types the first one that has capacity, as in the service.

A machine has capacity for all of them, unless `run --simulate capacity:TYPE` says otherwise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.simulations.kinds.capacity import CAPACITY
from pipelines.frozen import frozen
from pipelines.steptypes.clusters import choices
from pipelines.steptypes.places import below, value_at

if TYPE_CHECKING:
    from collections.abc import Collection

    from pipelines.backends.local.settings import LocalSettings
    from pipelines.diagnostics import Path
    from pipelines.json_types import Json, JsonObject
    from pipelines.steptypes import StepType

_SELECTED = {"InstanceType": "SelectedInstanceType", "InstanceCount": "SelectedInstanceCount"}
"""What Describe calls the type and the count that were taken (FACTS 12.8)."""


class NoCapacityError(JobRefusedError):
    """None of the instance types of a job has capacity."""

    fault = "SageMaker.CAPACITY_ERROR"

    def __init__(self, types: Collection[str]) -> None:
        # The text of the service, as public reports quote it (FACTS 12.8).
        super().__init__(
            "CapacityError: Unable to provision requested ML compute capacity."
            " Please retry using a different ML instance type."
        )
        self.notes = (f"simulated: there is no capacity for {', '.join(types)}",)


@frozen
class Allocation:
    """The instances of a job.

    Args:
        request: its request, with the members of Describe that say what was taken.
        results: those of its members that were changed.
        notes: remarks for whoever watches.
    """

    request: JsonObject
    results: JsonObject
    notes: tuple[str, ...] = ()


def allocate(step_type: StepType, request: JsonObject, settings: LocalSettings) -> Allocation:
    """Take instances for a job.

    Raises:
        NoCapacityError: there is no capacity for any of its instance types.
    """
    changed, notes = request, list[str]()
    for cluster in step_type.clusters:
        for path, asked in below(request, cluster.at):
            taken = take(asked, cluster.type, settings)
            if taken.selected:
                changed = _with(changed, path, {**asked, **taken.selected})
            notes += taken.notes
    tops = {key: value for key, value in changed.items() if value is not request.get(key)}
    return Allocation(changed, tops, tuple(notes))


@frozen
class Taken:
    """The instances that were taken for a part of a job.

    Args:
        instances: their type and count, with what is asked for beside.
        selected: the members of Describe that say so; empty where there was no choice.
        notes: the types that have no capacity, in words.
    """

    instances: JsonObject
    selected: JsonObject
    notes: tuple[str, ...] = ()


def take(asked: JsonObject, member: str, settings: LocalSettings) -> Taken:
    """Take the first instances that have capacity.

    Args:
        asked: what holds type and count, or a list of such.
        member: the member that names the type.
        settings: of the job.

    Raises:
        NoCapacityError: there are none.
    """
    exhausted = settings.simulated.get(CAPACITY, ())
    offered = choices(asked)
    without = [one[member] for one in offered if one.get(member) in exhausted]
    for one in offered:
        instance_type = one.get(member)
        if instance_type in exhausted:
            continue
        passed = ", ".join(without[: offered.index(one)])
        note = f"simulated: there is no capacity for {passed}; {instance_type} is taken"
        selected = {said: one[key] for key, said in _SELECTED.items() if key in one}
        return Taken(one, {} if one is asked else selected, (note,) if passed else ())
    raise NoCapacityError(without)


def taken_instances(asked: JsonObject) -> JsonObject:
    """Return what was taken for what asks for instances: the first choice where nothing says."""
    chosen = value_at(asked, _SELECTED["InstanceType"])
    offered = choices(asked)
    return next((one for one in offered if one.get("InstanceType") == chosen), offered[0])


def _with(value: Json, path: Path, new: Json) -> Json:
    """Return a value in which another one stands at a path."""
    if not path:
        return new
    inner = _with(value[path[0]], path[1:], new)
    if isinstance(value, list):
        return [inner if index == path[0] else one for index, one in enumerate(value)]
    return {**value, path[0]: inner}
