"""A warm pool, where instances take long to start for what they do."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, time_of
from pipelines.steptypes.places import value_at

_LEAST_SECONDS: Final = 60.0
_SHARE: Final = 0.3


def _advise(job: ObservedJob) -> str | None:
    resources = value_at(job.described, "ResourceConfig") or {}
    excluded = resources.get("InstanceGroups") or resources.get("KeepAlivePeriodInSeconds")
    if excluded or job.described.get("EnableManagedSpotTraining") is True:
        return None
    if job.starting < max(_LEAST_SECONDS, _SHARE * job.wall):
        return None
    return (
        "keep its instances warm if a job follows within the hour"
        f" (`keep_alive_period_in_seconds:`): they took {time_of(job.starting)} to start,"
        f" for {time_of(job.wall)} of training"
    )


RULE = Rule(80, "start", _advise)
