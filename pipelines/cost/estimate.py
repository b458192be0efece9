"""What a definition asks for, and prices → dollars, as far as both are known."""

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
_REUSED: Final = ("CacheHitResult", "SelectiveExecutionResult")


@frozen
class Amount:
    """Dollars, as far as they are known.

    Args:
        dollars: what is known of it.
        unknown: what is not: names of prices, and words for what else is missing.
    """

    dollars: float = 0.0
    unknown: tuple[str, ...] = ()

    def __add__(self, other: Amount) -> Amount:
        missing = dict.fromkeys((*self.unknown, *other.unknown))
        return Amount(self.dollars + other.dollars, tuple(missing))


@frozen
class Line:
    """What one use costs.

    Args:
        use: the instances.
        expected: the seconds that earlier runs took; None without one.
        likely: the dollars for these.
        most: the dollars where it runs until it is ended.
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
    return Amount(max(one.dollars for one in found), tuple(unknown))


def _likely(use: Use, prices: Prices, seconds: float | None) -> Amount:
    """Return the cost of a step that takes so long: of jobs in turn, only some run at once."""
    running = replace(use, count=use.at_once)
    return cost_of(running, prices, seconds, f"the time of {use.step}, which no run has had")


def cost_of(use: Use, prices: Prices, seconds: float | None, without: str) -> Amount:
    """Return what instances cost for so many seconds; on demand, also where spot is asked for.

    Args:
        use: the instances.
        prices: what is known of prices.
        seconds: how long; None where that is not known.
        without: what is unknown then.
    """
    hourly = None if use.price is None else prices.of(use.price)
    unknown = [
        *([without] if seconds is None else []),
        *([use.price or f"the instance type of {use.step}"] if hourly is None else []),
        *([f"the number of instances of {use.step}"] if use.count is None else []),
    ]
    if unknown or seconds is None or hourly is None or use.count is None:
        return Amount(unknown=tuple(unknown))
    instances = Amount(hourly * use.count * seconds / HOUR)
    return instances + _storage(use, prices, use.count * seconds)


def _storage(use: Use, prices: Prices, instance_seconds: float) -> Amount:
    if use.volume is None:
        return Amount()
    monthly = prices.of(use.storage)
    if monthly is None:
        return Amount(unknown=(use.storage,))
    return Amount(monthly * use.volume * instance_seconds / HOUR / HOURS_A_MONTH)


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
