"""An even share of data and work for each rank, where one has far more or less than the others."""

from __future__ import annotations

from statistics import median_high, median_low
from typing import Final

from pipelines.advice.job import ObservedJob, Rule, gigabytes, time_of
from pipelines.execution.usage import RankUsage
from pipelines.steptypes.places import value_at

_TIMES: Final = 2.0
"""How often one has what the others have; the first rank always does somewhat more: it saves."""

_SERVERS: Final = "tensorflow"
"""What may start parameter servers: a host computes for those whose variables it holds."""

_LEAST_READ: Final = 1024.0
_LEAST_SECONDS: Final = 60.0
_LEAST_PERCENT: Final = 40.0
_EARLY: Final = 0.8
"""The share of the last rank's time before which one has ended early."""


def _advise(job: ObservedJob) -> str | None:
    ranks = job.ranks
    if len(ranks) < 2 or _has_groups(job):
        return None
    found = _read(ranks)
    if found is None and ranks[0].launcher != _SERVERS:
        ended = None if _was_ended(job) else _ended(ranks)
        found = ended or _computed_on_gpus(ranks) or _computed(ranks)
    return f"give each rank an equal share of {found}" if found else None


def _has_groups(job: ObservedJob) -> bool:
    """Return whether it has groups of instances: their types and channels may differ on purpose."""
    return len(value_at(job.described, "ResourceConfig.InstanceGroups") or ()) > 1


def _was_ended(job: ObservedJob) -> bool:
    """Return whether it was stopped or has failed: its ranks then end as somebody ends them."""
    return job.described.get("TrainingJobStatus") in ("Failed", "Stopped")


def _read(ranks: list[RankUsage]) -> str | None:
    most = max(ranks, key=lambda one: one.read_alone)
    usual = median_high(one.read_alone for one in ranks if one is not most)
    if most.read_alone < max(_LEAST_READ, _TIMES * usual):
        return None
    others = _others(ranks, "at most")
    less = gigabytes(usual) if usual >= _LEAST_READ else f"{usual:.0f} MB"
    return f"the data: {_name(most)} read {gigabytes(most.read_alone)}, {others} {less}"


def _ended(ranks: list[RankUsage]) -> str | None:
    """Compare when ranks ended, but for the first one being last: it saves or evaluates alone."""
    first = min(ranks, key=lambda one: one.wall)
    last = max((one for one in ranks if one.rank), key=lambda one: one.wall)
    if first.wall > _EARLY * last.wall:
        return None
    ended = f"{_name(first)} ended after {time_of(first.wall)}"
    return f"the work: {ended}, {_name(last)} after {time_of(last.wall)}"


def _computed_on_gpus(ranks: list[RankUsage]) -> str | None:
    busy = {one.rank: one.gpus.busy_percent for one in ranks if one.gpus is not None}
    if len(busy) < len(ranks):
        return None
    least = min(ranks, key=lambda one: busy[one.rank])
    own = busy.pop(least.rank)
    usual = median_low(busy.values())
    if usual < max(_LEAST_PERCENT, _TIMES * own):
        return None
    others = _others(ranks, "at least")
    return f"the work: the GPU of {_name(least)} was {own:.0f}% busy, {others} {usual:.0f}%"


def _computed(ranks: list[RankUsage]) -> str | None:
    most = max(ranks, key=lambda one: one.cpu or 0.0)
    usual = median_high(one.cpu or 0.0 for one in ranks if one is not most)
    if not most.cpu or most.cpu < max(_LEAST_SECONDS, _TIMES * usual):
        return None
    others = _others(ranks, "at most")
    return f"the work: {_name(most)} took {time_of(most.cpu)} of CPUs, {others} {time_of(usual)}"


def _others(ranks: list[RankUsage], bound: str) -> str:
    return "the other one" if len(ranks) == 2 else f"half of the others {bound}"


def _name(one: RankUsage) -> str:
    return f"rank {one.rank} ({one.host})"


RULE = Rule(55, "ranks", _advise, anywhere=True)
