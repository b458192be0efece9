"""More instances, where no bigger one of the family would help."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import BUSY, GPU_BUSY_PERCENT, ObservedJob, Rule, time_of

_LEAST_SECONDS: Final = 3600.0
"""What runs for less is not worth the code that several instances take."""


def _advise(job: ObservedJob) -> str | None:
    busy = _busy(job)
    if busy is None or job.wall < _LEAST_SECONDS:
        return None
    how = (
        "`distribution:`"
        if job.takes_distribution
        else "`distribution: ShardedByS3Key` of an input"
    )
    return (
        f"use more instances, with {how}: {job.instance_type} {busy} busy for {time_of(job.wall)}"
    )


def _busy(job: ObservedJob) -> str | None:
    """Return what is as busy as can be, in words; None where a bigger instance would have more."""
    gpus, host = job.busiest_gpus, job.busiest
    if gpus is not None:
        if gpus.busy_percent < GPU_BUSY_PERCENT or job.more_gpus is not None:
            return None
        which = "GPU was" if gpus.count == 1 else f"{gpus.count} GPUs were"
        return f"has the most GPUs of its family, and its {which} {gpus.busy_percent:.0f}%"
    if host.busy < BUSY or not job.is_biggest:
        return None
    return f"is the biggest of its family, and its {host.cpus} CPUs were {host.busy:.0%}"


RULE = Rule(40, "instances", _advise)
