"""More instances, where the biggest of its family is busy all the time."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import BUSY, ObservedJob, Rule, time_of

_LEAST_SECONDS: Final = 3600.0
"""What runs for less is not worth the code that several instances take."""


def _advise(job: ObservedJob) -> str | None:
    gpus, host = job.busiest_gpus, job.busiest
    busy = host.busy if gpus is None else gpus.busy_percent / 100
    if busy < BUSY or job.wall < _LEAST_SECONDS or not job.is_biggest:
        return None
    what = f"{host.cpus} CPUs" if gpus is None else f"{gpus.count} GPUs"
    return (
        f"use more instances, with `distribution:`: {job.instance_type} is the biggest of its"
        f" family, and its {what} were {busy:.0%} busy for {time_of(job.wall)}"
    )


RULE = Rule(40, "instances", _advise)
