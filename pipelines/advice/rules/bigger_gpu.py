"""More GPUs in one instance, where those that there are were busy all the time."""

from __future__ import annotations

from pipelines.advice.job import GPU_BUSY_PERCENT, ObservedJob, Rule, time_of


def _advise(job: ObservedJob) -> str | None:
    gpus, more = job.busiest_gpus, job.more_gpus
    if gpus is None or more is None or gpus.busy_percent < GPU_BUSY_PERCENT:
        return None
    which = "GPU was" if gpus.count == 1 else f"{gpus.count} GPUs were"
    starts = ", with a process for each (`distribution:`)" if job.takes_distribution else ""
    return (
        f"use {more}{starts}, before more instances: its {which} {gpus.busy_percent:.0f}% busy"
        f" for {time_of(job.wall)}"
    )


RULE = Rule(20, "instances", _advise)
