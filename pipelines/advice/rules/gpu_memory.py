"""GPUs with more memory, where theirs was nearly used up."""

from __future__ import annotations

from typing import Final

from pipelines.advice.job import ObservedJob, Rule, gigabytes
from pipelines.steptypes.places import value_at

_FULL: Final = 0.9

_RESERVING: Final = "tensorflow"
"""In the name of images whose framework takes nearly all memory at once, used or not."""


def _advise(job: ObservedJob) -> str | None:
    gpus = job.busiest_gpus
    if gpus is None or not gpus.memory_of or gpus.memory < _FULL * gpus.memory_of:
        return None
    if _RESERVING in str(value_at(job.described, "AlgorithmSpecification.TrainingImage")):
        return None
    full = f"{gigabytes(gpus.memory)} of {gigabytes(gpus.memory_of)}"
    return (
        "use a family whose GPUs have more memory if larger batches would help; bigger types of one"
        f" family have the same GPUs: memory {full} at its peak"
    )


RULE = Rule(45, "instances", _advise)
