"""`interruption:STEP`: the spot capacity of a training job is taken away once, while it trains."""

from __future__ import annotations

from typing import Final

from pipelines.backends.local.simulations.simulation import PlannedStep, Simulation
from pipelines.steptypes.places import below

INTERRUPTION: Final = "interruption"


def _cases(steps: tuple[PlannedStep, ...]) -> dict[str, list[str]]:
    """Return the steps that train on spot capacity."""
    return {step.name: [step.name] for step in steps if _is_on_spot(step)}


def _is_on_spot(step: PlannedStep) -> bool:
    jobs = (job for one in step.type.clusters for _, job in below(step.arguments, one.job))
    return any(
        isinstance(job, dict) and job.get("EnableManagedSpotTraining") is True for job in jobs
    )


SIMULATION = Simulation(
    argument="STEP",
    noun="a step that trains on managed spot capacity (`enable_managed_spot_training`)",
    cases=_cases,
)
