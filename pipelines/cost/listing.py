"""The AWS Price List API → prices by name.

GetProducts is asked once for all of SageMaker in a region, and a product is recognised by its usage
type, as `EU-Train:ml.m5.large` (FACTS 12.21): the part before the first hyphen is the region's. A
bill has the same usage types. Other attributes are not the same for all products: a training
instance has products for spot, for reserved capacity and for other components beside it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from pipelines.cost.prices import (
    PROVISIONED,
    PROVISIONED_REQUEST,
    SERVERLESS,
    STORAGE,
    currency_of,
)
from pipelines.json_types import JsonObject

SERVICE: Final = "AmazonSageMaker"
PRICE_LIST: Final = f"the AWS Price List API, {SERVICE}"

PriceList: TypeAlias = Callable[[Sequence[Mapping[str, str]]], Iterable[str]]
"""Asks GetProducts with filters; yields the products, each as JSON text."""

_COMPONENTS: Final = {
    "training": "Train",
    "processing": "Processing",
    "transform": "Tsform",
    "hosting": "Host",
    "asynchronous": "AsyncInf",
}
_ONE_GB: Final = {
    SERVERLESS: "ServerlessInf:Mem-1GB",
    PROVISIONED: "(?:Serverless)?ProvisionedConcurrency:Usage-1GB",
    PROVISIONED_REQUEST: "(?:Serverless)?ProvisionedConcurrency:Mem-1GB",
}
_VOLUME = r"VolumeUsage(?:\.gp\d)?"
_HOURS, _MONTHS, _SECONDS = ("hr", "hour"), ("gb-mo",), ("sec",)
"""How the units of prices begin."""


def pricing_region(region: str) -> str:
    """Return the region whose Price List API has the prices of a region (its endpoints)."""
    return "cn-northwest-1" if region.startswith("cn-") else "us-east-1"


def listed_prices(listed: PriceList, region: str, wanted: Iterable[str]) -> dict[str, float]:
    """Ask the Price List API; what it does not answer with exactly one price stays unknown."""
    asked = {name: _usage(name) for name in wanted}
    found: dict[str, set[float]] = {name: set() for name in asked}
    where = {"Type": "TERM_MATCH", "Field": "regionCode", "Value": region}
    for text in listed([where]) if asked else ():
        product = json.loads(text)
        usage = product.get("product", {}).get("attributes", {}).get("usagetype", "")
        for name, (pattern, units) in asked.items():
            if pattern.fullmatch(usage):
                found[name].update(_on_demand(product, currency_of(region), units))
    return {name: prices.pop() for name, prices in found.items() if len(prices) == 1}


def _usage(name: str) -> tuple[re.Pattern[str], tuple[str, ...]]:
    """Return what usage types a price has, and how its unit begins."""
    component, _, kind = name.partition("/")
    units: tuple[str, ...]
    if name in _ONE_GB:
        usage, units = _ONE_GB[name], _SECONDS
    elif kind == STORAGE:
        usage, units = f"{_COMPONENTS.get(component, component)}:{_VOLUME}", _MONTHS
    else:
        usage, units = f"{_COMPONENTS.get(component, component)}:{re.escape(kind)}", _HOURS
    return re.compile(f"(?:[A-Z0-9]+-)?{usage}"), units


def _on_demand(product: JsonObject, currency: str, units: tuple[str, ...]) -> Iterator[float]:
    """Yield the prices of a product; what a free tier gives away is none."""
    for term in product.get("terms", {}).get("OnDemand", {}).values():
        for dimension in term.get("priceDimensions", {}).values():
            price = float(dimension.get("pricePerUnit", {}).get(currency) or 0)
            if price > 0 and dimension.get("unit", "").lower().startswith(units):
                yield price
