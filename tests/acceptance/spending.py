"""What a run in an account may cost at most, computed before it starts.

Each test names what it uses and for how many minutes at most: the service ends its jobs after that
time. No price is remembered here: one comes from the user's file or from the Price List API, and
without it the run does not start.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


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


def prices_of(file: Path) -> dict[str, float]:
    """Read a file of prices, `{"training/ml.m5.large": <dollars per hour>, …}`.

    Raises:
        SpendingError: it cannot be read, or a price is not a number above 0.
    """
    try:
        prices = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SpendingError(f"{file} cannot be read as JSON: {error}") from None
    if not isinstance(prices, dict):
        raise SpendingError(f"{file} must hold one object, of instances and dollars per hour")
    for what, price in prices.items():
        if isinstance(price, bool) or not isinstance(price, int | float) or not 0 < price < 1e6:
            raise SpendingError(f"{file}: the price of {what} must be dollars per hour, above 0")
    return {what: float(price) for what, price in prices.items()}


def listed_prices(pricing: Any, region: str, wanted: Iterable[str]) -> dict[str, float]:
    """Ask the Price List API; what it does not answer with exactly one price stays unknown.

    The names of its attributes are not confirmed; a wrong one finds nothing.
    """
    found = {what: _prices(pricing, region, *what.split("/")) for what in wanted}
    return {what: prices.pop() for what, prices in found.items() if len(prices) == 1}


def _prices(pricing: Any, region: str, component: str, instance: str) -> set[float]:
    asked = {"regionCode": region, "instanceName": instance, "component": component.title()}
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in asked.items()
    ]
    pages = pricing.get_paginator("get_products").paginate(
        ServiceCode="AmazonSageMaker", Filters=filters
    )
    products = [json.loads(text) for page in pages for text in page["PriceList"]]
    return {price for product in products for price in _on_demand(product)}


def _on_demand(product: JsonObject) -> set[float]:
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    dimensions = [one for term in terms for one in term["priceDimensions"].values()]
    prices = {
        float(one["pricePerUnit"]["USD"]) for one in dimensions if one["unit"].startswith("H")
    }
    return {price for price in prices if price > 0}
