"""What a run in an account may cost at most, computed before it starts.

Each test names what it uses and for how many minutes at most: the service ends its jobs after that
time. No price is remembered: one comes from the user's file or from the Price List API, as for
`pipelines cost`, and without it the run does not start.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping

from pipelines.frozen import frozen


class SpendingError(Exception):
    """A run that must not start: a price is not known, or the budget is too small."""


@frozen
class Plan:
    """Minutes of each instance, as `training/ml.m5.large`, and dollars for an hour of it."""

    minutes: Mapping[str, float]
    hourly: Mapping[str, float]

    @property
    def dollars(self) -> float:
        """Return what all of it costs at most."""
        return sum(self.hourly[what] * minutes / 60 for what, minutes in self.minutes.items())

    def lines(self) -> list[str]:
        """Return the plan's lines for the terminal."""
        return [
            f"  {what:<28}{minutes:6.0f} min x {self.hourly[what]:.4f} $/h"
            f" = {self.hourly[what] * minutes / 60:.4f} $"
            for what, minutes in sorted(self.minutes.items())
        ]


def planned(uses: Iterable[tuple[str, float]], hourly: Mapping[str, float], budget: float) -> Plan:
    """Add up what tests use.

    Raises:
        SpendingError: a price is missing, or all of it costs more than the budget.
    """
    minutes: dict[str, float] = {}
    for what, some in uses:
        minutes[what] = minutes.get(what, 0) + some
    unknown = sorted(minutes.keys() - hourly.keys())
    if unknown:
        example = json.dumps(dict.fromkeys(unknown, 0.0))
        raise SpendingError(
            f"no price is known for {', '.join(unknown)}: write dollars per hour into a JSON file,"
            f" as {example} with the right numbers, and give it as PRICES=<file>"
        )
    plan = Plan(minutes, hourly)
    if not plan.dollars <= budget:
        raise SpendingError(
            f"the run may cost {plan.dollars:.2f} $, the budget is {budget:.2f} $:"
            f" give BUDGET={math.ceil(plan.dollars)} or more"
        )
    return plan
