"""The jobs of an execution, read through a `Caller` → advice on them, in lines."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Final

from pipelines.advice.advise import advise
from pipelines.advice.job import LEAST_SECONDS, ObservedJob
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.usage import used_by
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.results.run import described_job
from pipelines.steptypes import StepType, find_listed

_MOST_JOBS: Final = 10
"""How many jobs are read, the longest ones: each takes some calls."""

_REUSED: Final = ("CacheHitResult", "SelectiveExecutionResult")


@frozen
class _EndedJob:
    """A step that has run as a job: its Type, and how long it took."""

    step: JsonObject
    type: StepType
    seconds: float


def advice_on(caller: Caller, steps: Iterable[JsonObject]) -> Iterator[str]:
    """Yield advice on the jobs of an execution, in lines; nothing where nothing is known.

    Args:
        caller: where.
        steps: as ListPipelineExecutionSteps gives them.
    """
    jobs = sorted(_ended(steps), key=lambda one: -one.seconds)
    long = [one for one in jobs if one.seconds >= LEAST_SECONDS][:_MOST_JOBS]
    for job in filter(None, (_observed(caller, one) for one in long)):
        yield from (f"{one.step}: {one.text}" for one in advise(job))


def _ended(steps: Iterable[JsonObject]) -> Iterator[_EndedJob]:
    for step in steps:
        began, ended = step.get("StartTime"), step.get("EndTime")
        is_reused = any(member in step for member in _REUSED)
        if is_reused or not isinstance(began, datetime) or not isinstance(ended, datetime):
            continue
        for listed in step.get("Metadata") or {}:
            known = find_listed(listed)
            made = known.resource if known is not None else None
            if known is None or made is None or made.log_group is None or known.trials is not None:
                continue  # it runs nothing, or only starts other jobs
            yield _EndedJob(step, known, (ended - began).total_seconds())


def _observed(caller: Caller, ended: _EndedJob) -> ObservedJob | None:
    """Read a job; None where it is gone, may not be read, or left no line about its usage."""
    hosts = used_by(caller, ended.step)
    if not hosts:
        return None
    try:
        described = described_job(caller, ended.step)
    except CallRefusedError:
        return None
    step = str(ended.step["StepName"])
    return ObservedJob(step, ended.type, described, hosts, caller.is_local)
