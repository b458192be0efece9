"""`capacity:INSTANCE_TYPE`: the account has no capacity for an instance type."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.backends.local.simulations.simulation import PlannedStep, Simulation
from pipelines.steptypes.clusters import choices
from pipelines.steptypes.places import below, value_at

CAPACITY: Final = "capacity"


def _cases(steps: tuple[PlannedStep, ...]) -> dict[str, list[str]]:
    """Return the instance types that jobs ask for, each with their steps."""
    found: dict[str, list[str]] = {}
    for step in steps:
        for instance_type in dict.fromkeys(_types(step)):
            found.setdefault(instance_type, []).append(step.name)
    return found


def _types(step: PlannedStep) -> Iterator[str]:
    if step.type.resource is None or step.type.resource.log_group is None:
        return  # an endpoint's config starts nothing by itself
    for cluster in step.type.clusters:
        for _, job in below(step.arguments, cluster.job):
            for _, asked in below(job, cluster.at):
                named = (value_at(one, cluster.type) for one in choices(asked))
                yield from (one for one in named if isinstance(one, str))


SIMULATION = Simulation(
    argument="INSTANCE_TYPE",
    noun="an instance type that a step asks for",
    cases=_cases,
)
