"""Jobs that were observed, for the tests of advice."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pipelines.advice.advise import advise
from pipelines.advice.job import ObservedJob
from pipelines.execution.usage import GpuUsage, HostUsage
from pipelines.steptypes.training import STEP_TYPE as TRAINING

HOST = HostUsage("algo-1", wall=600.0, cpu=1200.0, cpus=4, memory=2048.0, memory_of=16384.0)
GPUS = GpuUsage(count=1, busy_percent=50.0, memory=8192.0, memory_of=24576.0)
TWO = replace(HOST, cpu=1800.0, processes=2)


def job(
    *hosts: HostUsage, instance: str = "ml.m5.xlarge", local: bool = False, **described: Any
) -> ObservedJob:
    """Return a training job of ten minutes that nothing is to be said about."""
    resources = {"InstanceType": instance, "InstanceCount": 1, **described.pop("resources", {})}
    return ObservedJob(
        "train", TRAINING, {"ResourceConfig": resources, **described}, hosts or (HOST,), local
    )


def told(observed: ObservedJob) -> list[str]:
    """Return the advice on a job, as text."""
    return [one.text for one in advise(observed)]
