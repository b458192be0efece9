"""What a definition asks for, and prices → amounts, as far as both are known."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from statistics import median
from typing import Final

from pipelines.cost.prices import Prices
from pipelines.cost.usage import Use
from pipelines.execution.caller import Caller
from pipelines.execution.executions import executions, steps
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

HOUR: Final = 3600
HOURS_A_MONTH: Final = 730
NO_RUN: Final = "the time that a run has had of "
"""How the name of what is unknown begins where no earlier run has a step's time."""

_REUSED: Final = ("CacheHitResult", "SelectiveExecutionResult")


@frozen
class Amount:
    """What something costs, as far as that is known.

    Args:
        known: what is known of it, in the currency of the prices.
        unknown: what is not: names of prices, and words for what else is missing.
    """

    known: float = 0.0
    unknown: tuple[str, ...] = ()

    def __add__(self, other: Amount) -> Amount:
        missing = dict.fromkeys((*self.unknown, *other.unknown))
        return Amount(self.known + other.known, tuple(missing))


@frozen
class Line:
    """What one use costs.

    Args:
        use: the instances.
        expected: the seconds that earlier runs took; None without one.
        likely: what these cost.
        most: what it costs where it runs until it is ended, each time that it may be tried.
    """

    use: Use
    expected: float | None
    likely: Amount
    most: Amount


def estimate(uses: Iterable[Use], prices: Prices, times: Mapping[str, float]) -> tuple[Line, ...]:
    """Estimate an execution in which no step comes out of the cache.

    Args:
        uses: what the steps ask for.
        prices: what is known of prices.
        times: the seconds of earlier runs, by step.
    """
    return tuple(
        Line(
            use,
            times.get(use.step),
            _likely(use, prices, times.get(use.step)),
            _most(use, prices),
        )
        for use in uses
    )


def _most(use: Use, prices: Prices) -> Amount:
    """Return the cost of a step that runs until it is ended: of several types, of the dearest."""
    without = f"the longest time of {use.step}"
    found = [cost_of(one, prices, one.longest, without) for one in (use, *use.instead)]
    unknown = dict.fromkeys(name for amount in found for name in amount.unknown)
    if use.attempts is None:
        unknown[f"how often {use.step} is tried again"] = None
    return Amount(max(one.known for one in found) * (use.attempts or 1), tuple(unknown))


def _likely(use: Use, prices: Prices, seconds: float | None) -> Amount:
    """Return the cost of a step that takes so long: of jobs in turn, only some run at once."""
    running = replace(use, count=use.at_once)
    return cost_of(running, prices, seconds, f"{NO_RUN}{use.step}")


def cost_of(use: Use, prices: Prices, seconds: float | None, without: str) -> Amount:
    """Return what instances cost for so many seconds; on demand, also where spot is asked for.

    Args:
        use: the instances.
        prices: what is known of prices.
        seconds: how long; None where that is not known.
        without: what is unknown then.
    """
    if use.apart:
        return Amount(unknown=(f"{use.component} of {use.step}",))
    hourly = None if use.price is None else prices.of(use.price)
    storage = None if use.volume is None else prices.of(use.storage)
    unstored = (
        *([use.storage] if use.volume is not None and storage is None else []),
        *([] if use.is_sized else [f"the size of the volume of {use.step}"]),
    )
    unknown = [
        *([without] if seconds is None else []),
        *([use.price or f"the instance type of {use.step}"] if hourly is None else []),
        *([f"the number of instances of {use.step}"] if use.count is None else []),
    ]
    if unknown or seconds is None or hourly is None or use.count is None:
        return Amount(unknown=(*unknown, *unstored))
    stored = (storage or 0.0) * (use.volume or 0.0) / HOURS_A_MONTH
    return Amount((hourly + stored) * use.count * seconds / HOUR, unstored)


def total(amounts: Iterable[Amount]) -> Amount:
    """Add amounts up."""
    whole = Amount()
    for amount in amounts:
        whole += amount
    return whole


def earlier_times(caller: Caller, pipelines: Iterable[str], most: int = 5) -> dict[str, float]:
    """Return how long each step took in the latest executions that ran it: the median.

    Args:
        caller: where they are.
        pipelines: the names of pipelines.
        most: how many executions are looked at.
    """
    found: dict[str, list[float]] = {}
    for execution in executions(caller, tuple(pipelines), most):
        for step in steps(caller, execution["PipelineExecutionArn"]):
            seconds = _seconds(step)
            if seconds is not None:
                found.setdefault(step["StepName"], []).append(seconds)
    return {name: median(times) for name, times in found.items()}


def _seconds(step: JsonObject) -> float | None:
    """Return how long a step took that succeeded and ran itself."""
    began, ended = step.get("StartTime"), step.get("EndTime")
    reused = any(step.get(member) for member in _REUSED)
    if step["StepStatus"] != "Succeeded" or reused:
        return None
    if not isinstance(began, datetime) or not isinstance(ended, datetime):
        return None
    return (ended - began).total_seconds()
