"""A bigger instance, where the processors were busy all the time."""

from __future__ import annotations

from pipelines.advice.job import BUSY, ObservedJob, Rule, time_of


def _advise(job: ObservedJob) -> str | None:
    host, gpus = job.busiest, job.busiest_gpus
    if host.busy < BUSY or job.is_biggest:
        return None
    waited = "" if gpus is None else f", its GPUs {gpus.busy_percent:.0f}%"
    return (
        f"use {job.bigger}, before more: its {host.cpus} CPUs were {host.busy:.0%} busy"
        f"{waited} for {time_of(job.wall)}"
    )


RULE = Rule(30, "instances", _advise)
