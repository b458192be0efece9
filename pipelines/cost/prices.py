"""Prices: from a file of the user's own, or from the AWS Price List API; none is built in.

A price is named by what is billed and its type, `training/ml.m5.large`, in dollars for an hour of
one instance. `training/storage` is a GB of its volume for a month, `serverless/gb-second` a second
of a serverless endpoint with 1 GB.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Final, TypeAlias

from pipelines.errors import UsageError
from pipelines.files import put
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

SERVICE: Final = "AmazonSageMaker"
PRICE_LIST: Final = f"the AWS Price List API, {SERVICE}"
PRICING_REGION: Final = "us-east-1"
"""The Price List API answers for all regions in a few."""

OWN: Final = "prices.json"
"""Beside the spec file: the user's own prices, which go before those that were retrieved."""

_KEPT: Final = "prices.json"
_MOST: Final = 1e6

PriceList: TypeAlias = Callable[[Sequence[Mapping[str, str]]], Iterable[str]]
"""Asks GetProducts with filters; yields the products, each as JSON text."""


@frozen
class Prices:
    """Prices that are known.

    Args:
        dollars: by name.
        sources: where they come from, for people; with the date of those that were retrieved.
    """

    dollars: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()

    def of(self, name: str) -> float | None:
        """Return a price; None where it is not known."""
        return self.dollars.get(name)


def read_prices(file: Path) -> dict[str, float]:
    """Read a file of prices, `{"training/ml.m5.large": <dollars>, …}`.

    Raises:
        UsageError: it cannot be read, or a price is not a number above 0.
    """
    try:
        prices = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read as JSON: {error}") from None
    return _checked(prices, file)


def _checked(prices: Json, file: Path) -> dict[str, float]:
    if not isinstance(prices, dict):
        raise UsageError(f"{file} must hold one object, of names and dollars")
    for what, price in prices.items():
        number = isinstance(price, int | float) and not isinstance(price, bool)
        if not number or not 0 < price < _MOST:
            raise UsageError(f"{file}: the price of {what} must be dollars, above 0")
    return {what: float(price) for what, price in prices.items()}


def known_prices(home: Path, region: str, own: Path | None = None) -> Prices:
    """Return the prices that were kept for a region, over them those of the user's file.

    Args:
        home: the folder `.pipelines` of a project.
        region: the region.
        own: the user's file; None for the one beside the spec, where there is one.

    Raises:
        UsageError: a file cannot be read.
    """
    kept, file = _kept(home).get(region), own or home.parent / OWN
    if kept and not (isinstance(kept, dict) and {"prices", "source", "date"} <= kept.keys()):
        raise UsageError(f"{home / _KEPT} is not what `cost --refresh` writes", "delete it")
    dollars: dict[str, float] = {}
    sources: list[str] = []
    if kept:
        dollars |= _checked(kept["prices"], home / _KEPT)
        sources.append(f"{kept['source']}, {kept['date']}")
    if own is not None or file.is_file():
        dollars |= read_prices(file)
        sources.append(str(file))
    return Prices(dollars, tuple(sources))


def keep_prices(home: Path, region: str, prices: Mapping[str, float], date: str) -> None:
    """Keep prices that were retrieved, with their date."""
    entry = {"source": PRICE_LIST, "date": date, "prices": dict(sorted(prices.items()))}
    home.mkdir(exist_ok=True)
    put(home / _KEPT, json.dumps({**_kept(home), region: entry}, indent=2).encode())


def _kept(home: Path) -> JsonObject:
    file = home / _KEPT
    if not file.is_file():
        return {}
    try:
        kept = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UsageError(f"{file} cannot be read as JSON: {error}", "delete it") from None
    return kept if isinstance(kept, dict) else {}


def listed_prices(listed: PriceList, region: str, wanted: Iterable[str]) -> dict[str, float]:
    """Ask the Price List API; what it does not answer with exactly one price stays unknown.

    The names of its attributes are not confirmed; a wrong one finds nothing.
    """
    found = {what: _prices(listed, region, *what.split("/", 1)) for what in wanted}
    return {what: prices.pop() for what, prices in found.items() if len(prices) == 1}


def _prices(listed: PriceList, region: str, component: str, instance: str) -> set[float]:
    asked = {"regionCode": region, "instanceName": instance, "component": component.title()}
    filters = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in asked.items()
    ]
    return {price for text in listed(filters) for price in _on_demand(json.loads(text))}


def _on_demand(product: JsonObject) -> set[float]:
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    dimensions = [one for term in terms for one in term["priceDimensions"].values()]
    prices = {
        float(one["pricePerUnit"]["USD"]) for one in dimensions if one["unit"].startswith("H")
    }
    return {price for price in prices if price > 0}
