"""An execution that has run → what its jobs cost, by what their Describe responses say.

A training job is billed by BillableTimeInSeconds, spot included, for each of its instances
(DescribeTrainingJob, API reference), and by the time that a warm pool kept them; other jobs by the
time between their start and their end. A tuning job runs no instances itself: each of the training
jobs that it started is billed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pipelines.cost.estimate import Amount, cost_of, total
from pipelines.cost.prices import Prices
from pipelines.cost.usage import uses_of
from pipelines.diagnostics.sentences import counted
from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.execution.trials import find_trying
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.results.run import ExecutionResult, StepResult
from pipelines.steptypes import StepType, require

_BILLABLE, _TRAINED = "BillableTimeInSeconds", "TrainingTimeInSeconds"

_OVER = ("Terminated", "Reused")
"""The statuses of a warm pool that costs no more (WarmPoolStatus, API reference)."""


@frozen
class Spent:
    """What one step cost.

    Args:
        step: its name.
        what: the instances, as `2 x training/ml.m5.large`; of several jobs with their number.
        seconds: those that are billed; None where they are not known.
        amount: what that is.
        saved: the seconds that spot was not billed for, of those that the jobs trained.
    """

    step: str
    what: str
    seconds: float | None
    amount: Amount
    saved: float = 0.0


def spent(run: ExecutionResult, prices: Prices, caller: Caller) -> tuple[Spent, ...]:
    """Return what each step cost that ran instances; one that was reused cost nothing.

    Args:
        run: the execution.
        prices: what is known of prices.
        caller: describes the jobs that the job of a step has started.
    """
    return tuple(one for step in run.steps for one in _of_step(step, prices, caller))


def _of_step(step: StepResult, prices: Prices, caller: Caller) -> Iterator[Spent]:
    known = step.type
    if known is None or not (known.runs_jobs or known.billed_for):
        return
    if step.reused_from is not None:
        yield Spent(step.name, f"reused from {step.reused_from}", 0.0, Amount())
        return
    yield from _earlier(step)
    if known.billed_for is not None:
        yield Spent(step.name, "", None, Amount(unknown=(f"{known.billed_for} of {step.name}",)))
    elif not step.described:
        yield Spent(step.name, "", None, Amount(unknown=(f"what {step.name} ran",)))
    elif known.trials is not None:
        yield from _together(_of_started(step, prices, caller))
    else:
        yield from _of_job(step.name, known, step.described, prices)


def _earlier(step: StepResult) -> Iterator[Spent]:
    """Yield the jobs that a step was tried with before its last, which nothing lists."""
    earlier = int(step.listed.get("AttemptCount") or 1) - 1
    if earlier > 0:
        jobs = counted(earlier, "earlier attempt")
        yield Spent(step.name, jobs, None, Amount(unknown=(f"{jobs} of {step.name}",)))


def _of_job(step: str, known: StepType, described: JsonObject, prices: Prices) -> Iterator[Spent]:
    seconds, without = _billed(described), f"the time of {step}"
    if seconds is not None:
        kept = _kept(described)
        without = f"how long the warm pool of {step} was kept" if kept is None else without
        seconds = None if kept is None else seconds + kept
    for cluster in known.clusters:
        for use in uses_of(step, cluster, described):
            what = f"{use.count or '?'} x {use.price or 'unknown'}"
            amount = cost_of(use, prices, seconds, without)
            yield Spent(step, what, seconds, amount, _saved(described))


def _of_started(step: StepResult, prices: Prices, caller: Caller) -> Iterator[Spent]:
    """Yield what each of the jobs cost that the job of a step has started."""
    job = find_trying(caller, step.listed.get("Metadata"))
    if job is None:
        yield Spent(step.name, "", None, Amount(unknown=(f"what {step.name} ran",)))
        return
    trials, known = job.trials, require(job.trials.type)
    listed = caller.pages("sagemaker", trials.operation, trials.member, **{job.member: job.name})
    for one in listed:
        described = _described(caller, known, one)
        if described is None:
            yield Spent(step.name, "", None, Amount(unknown=(f"what {step.name} ran",)))
        else:
            yield from _of_job(step.name, known, described, prices)


def _described(caller: Caller, known: StepType, listed: JsonObject) -> JsonObject | None:
    """Describe a job that a list names; None where it is not there any more."""
    job = known.resource
    if job is None or job.name is None:
        return None
    try:
        return caller.call("sagemaker", job.describe, **{job.name: listed[job.name]})
    except CallRefusedError as error:
        if error.is_missing or error.code == "ValidationException":
            return None
        raise


def _together(jobs: Iterable[Spent]) -> Iterator[Spent]:
    """Add up the jobs of a step that ran the same instances."""
    alike: dict[str, list[Spent]] = {}
    for one in jobs:
        alike.setdefault(one.what, []).append(one)
    for what, group in alike.items():
        times = [one.seconds for one in group if one.seconds is not None]
        seconds = sum(times) if len(times) == len(group) else None
        jobs_of = f"{len(group)} job{'s' * (len(group) > 1)}"
        amount = total(one.amount for one in group)
        saved = sum(one.saved for one in group)
        named = f"{jobs_of}, {what}" if what else jobs_of
        yield Spent(group[0].step, named, seconds, amount, saved)


def _saved(described: JsonObject) -> float:
    """Return how much less a job was billed than it trained, on spot capacity."""
    if described.get("EnableManagedSpotTraining") is not True:
        return 0.0
    trained, billed = described.get(_TRAINED), described.get(_BILLABLE)
    if not isinstance(trained, int | float) or not isinstance(billed, int | float):
        return 0.0
    return max(0.0, float(trained - billed))


def _billed(described: JsonObject) -> float | None:
    if isinstance(described.get(_BILLABLE), int | float):
        return float(described[_BILLABLE])
    began = _moment(described, "StartTime")
    ended = _moment(described, "EndTime")
    return None if began is None or ended is None else (ended - began).total_seconds()


def _kept(described: JsonObject) -> float | None:
    """Return how long a warm pool has kept the instances; None where that is not known yet."""
    pool = described.get("WarmPoolStatus")
    if not pool:
        return 0.0
    kept = pool.get("ResourceRetainedBillableTimeInSeconds")
    is_over = pool.get("Status") in _OVER
    return float(kept) if is_over and isinstance(kept, int | float) else None


def _moment(described: JsonObject, suffix: str) -> datetime | None:
    """Return the member that says when the job began or ended, as `ProcessingEndTime`."""
    found = (value for name, value in described.items() if name.endswith(suffix))
    return next((value for value in found if isinstance(value, datetime)), None)
