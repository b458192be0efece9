"""An execution that has run → what its jobs cost, by what their Describe responses say.

A training job is billed by BillableTimeInSeconds, spot included, for each of its instances
(DescribeTrainingJob, API reference); other jobs by the time between their start and their end.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipelines.cost.estimate import Amount, cost_of
from pipelines.cost.prices import Prices
from pipelines.cost.usage import uses_of
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.results.run import ExecutionResult, StepResult

_BILLABLE = "BillableTimeInSeconds"


@frozen
class Spent:
    """What one step cost.

    Args:
        step: its name.
        what: the instances, as `2 x training/ml.m5.large`.
        seconds: those that are billed; None where they are not known.
        amount: the dollars.
    """

    step: str
    what: str
    seconds: float | None
    amount: Amount


def spent(run: ExecutionResult, prices: Prices) -> tuple[Spent, ...]:
    """Return what each step cost that ran instances; one that was reused cost nothing."""
    return tuple(one for step in run.steps for one in _of_step(step, prices))


def _of_step(step: StepResult, prices: Prices) -> Iterator[Spent]:
    known = step.type
    if known is None or not known.clusters or known.resource is None:
        return
    if step.reused_from is not None:
        yield Spent(step.name, f"reused from {step.reused_from}", 0.0, Amount())
        return
    if not step.described:
        yield Spent(step.name, "", None, Amount(unknown=(f"what {step.name} ran",)))
        return
    seconds = _billed(step.described)
    for cluster in known.clusters:
        for use in uses_of(step.name, cluster, step.described):
            what = f"{use.count or '?'} x {use.price or 'unknown'}"
            amount = cost_of(use, prices, seconds, f"the time of {step.name}")
            yield Spent(step.name, what, seconds, amount)


def _billed(described: JsonObject) -> float | None:
    if isinstance(described.get(_BILLABLE), int | float):
        return float(described[_BILLABLE])
    began = _moment(described, "StartTime")
    ended = _moment(described, "EndTime")
    return None if began is None or ended is None else (ended - began).total_seconds()


def _moment(described: JsonObject, suffix: str) -> datetime | None:
    """Return the member that says when the job began or ended, as `ProcessingEndTime`."""
    found = (value for name, value in described.items() if name.endswith(suffix))
    return next((value for value in found if isinstance(value, datetime)), None)
