"""A bigger instance, where the GPUs were busy all the time or their memory was full."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, gigabytes, time_of

_BUSY_PERCENT: Final = 85.0
_FULL: Final = 0.9


def _advise(job: ObservedJob) -> str | None:
    gpus = job.busiest_gpus
    if gpus is None or job.is_biggest:
        return None
    if gpus.busy_percent >= _BUSY_PERCENT:
        ran = time_of(job.wall)
        return f"use {job.bigger}, before more: GPUs {gpus.busy_percent:.0f} % busy for {ran}"
    if gpus.memory_of and gpus.memory >= _FULL * gpus.memory_of:
        full = f"{gigabytes(gpus.memory)} of {gigabytes(gpus.memory_of)}"
        return f"use {job.bigger} if larger batches would help: GPU memory {full} at its peak"
    return None


RULE = Rule(20, "instances", _advise)
