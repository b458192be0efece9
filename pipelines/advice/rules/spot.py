"""Spot capacity, for a long training on demand."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, time_of
from pipelines.steptypes.places import value_at

_LEAST_SECONDS: Final = 1800.0
"""What runs for less waits longer for spot capacity than it saves."""

_EXCLUDED: Final = ("InstancePreferences", "KeepAlivePeriodInSeconds", "TrainingPlanArn")
"""What the service does not take with spot, or what is paid for anyway."""


def _advise(job: ObservedJob) -> str | None:
    resources = value_at(job.described, "ResourceConfig")
    if not resources:  # spot capacity is for trainings, which alone have this member
        return None
    excluded = any(resources.get(member) for member in _EXCLUDED)
    on_spot = job.described.get("EnableManagedSpotTraining") is True
    if on_spot or excluded or job.wall < _LEAST_SECONDS:
        return None
    has_checkpoints = job.described.get("CheckpointConfig") is not None
    needs = (
        "" if has_checkpoints else "; an interruption then costs what its checkpoints do not have"
    )
    return f"use spot capacity: it ran {time_of(job.wall)} on demand, which costs more{needs}"


RULE = Rule(70, "price", _advise)
