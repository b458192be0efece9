"""Prices: from a file of the user's own, or from the AWS Price List API; none is built in.

A price is named by what is billed and its type, `training/ml.m5.large`, for an hour of one
instance. `training/storage` is a GB of its volume for a month, `serverless/gb-second` a second
of a serverless endpoint with 1 GB. All are in the currency of the region's partition.
"""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Final

from pipelines.diagnostics.model import Finding
from pipelines.diagnostics.sentences import suggestion
from pipelines.document import read
from pipelines.errors import UsageError
from pipelines.files import put
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

OWN: Final = "prices.json"
"""Beside the spec file: the user's own prices, which go before those that were retrieved."""

SERVERLESS: Final = "serverless/gb-second"
PROVISIONED: Final = "serverless-provisioned/gb-second"
PROVISIONED_REQUEST: Final = "serverless-provisioned/request-gb-second"

ON_INSTANCES: Final = ("training", "processing", "transform", "hosting", "asynchronous")
STORAGE: Final = "storage"
_SERVERLESS = (SERVERLESS, PROVISIONED, PROVISIONED_REQUEST)
_KEPT: Final = "prices.json"
_MOST: Final = 1e6
_LEAST: Final = 0.01
"""Below it an amount has two significant digits, as the price of a second has."""
_SIGNS: Final = {"USD": "$"}
_CODE = "SP121"
"""Of findings that become the message of an error."""
_FORM: Final = 'write one object: {"training/ml.m5.large": <price of an hour>}'


@frozen
class Prices:
    """Prices that are known.

    Args:
        each: by name.
        sources: where they come from, for people; with the date of those that were retrieved.
        currency: what they are in.
    """

    each: Mapping[str, float] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    currency: str = "USD"

    def of(self, name: str) -> float | None:
        """Return a price; None where it is not known."""
        return self.each.get(name)

    def money(self, amount: float) -> str:
        """Write an amount with its currency; what is not nothing is never written as 0."""
        sign = _SIGNS.get(self.currency, self.currency)
        if 0 < amount < _LEAST:
            digits = max(0, -math.floor(math.log10(amount)) + 1)
            return f"{amount:.{digits}f} {sign}"
        return f"{amount:,.2f} {sign}" if amount >= 1 or not amount else f"{amount:.4f} {sign}"


def currency_of(region: str) -> str:
    """Return what a region's prices are in: the partition of China has a currency of its own."""
    return "CNY" if region.startswith("cn-") else "USD"


def read_prices(file: Path, others: Collection[str] = ()) -> dict[str, float]:
    """Read a file of prices, `{"training/ml.m5.large": <price>, …}`.

    Args:
        file: the file.
        others: names that only the caller knows.

    Raises:
        UsageError: it cannot be read, or a name or a price in it is wrong; with the place.
    """
    parsed = read(file, str(file))
    for found in parsed.findings:
        place = "" if found.span is None else f"{file}:{found.span.line}:{found.span.column}: "
        raise UsageError(f"{place}{found.message}", _FORM)
    if parsed.document is None:
        raise UsageError(f"{file} cannot be read", _FORM)
    for wrong in _wrong(parsed.document.data, others):
        span = parsed.document.locate(wrong).span
        place = str(file) if span is None else f"{file}:{span.line}:{span.column}"
        raise UsageError(f"{place}: {wrong.message}", wrong.help)
    return {name: float(price) for name, price in parsed.document.data.items()}


def _wrong(prices: JsonObject, others: Collection[str]) -> Iterator[Finding]:
    """Yield what is wrong: a name that no cost asks for, a price that is not a number above 0."""
    for name, price in prices.items():
        known = {*_names_like(name), *others}
        if name not in known:
            yield Finding(
                _CODE,
                f"`{name}` is not the name of a price",
                (name,),
                "key",
                suggestion(name, known),
            )
        if not _is_price(price):
            message = f"the price of {name} must be a number above 0"
            yield Finding(_CODE, message, (name,), help="leave out what is not known")


def _names_like(name: str) -> tuple[str, ...]:
    """Return the names that a name may have been meant to be."""
    kind = name.rpartition("/")[2]
    if kind.startswith("ml."):
        return tuple(f"{one}/{kind}" for one in ON_INSTANCES)
    return (*(f"{one}/{STORAGE}" for one in ON_INSTANCES), *_SERVERLESS)


def _is_price(price: Json) -> bool:
    number = isinstance(price, int | float) and not isinstance(price, bool)
    return number and 0 < price < _MOST


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
    each = kept_prices(home, region)
    sources = [f"{kept['source']}, {kept['date']}"] if kept and each else []
    if own is not None or file.is_file():
        each |= read_prices(file)
        sources.append(str(file))
    return Prices(each, tuple(sources), currency_of(region))


def kept_prices(home: Path, region: str) -> dict[str, float]:
    """Return the prices that were retrieved for a region.

    Raises:
        UsageError: somebody has changed the file.
    """
    match _kept(home).get(region):
        case None:
            return {}
        case {"source": str(), "date": str(), "prices": dict() as prices} if all(
            map(_is_price, prices.values())
        ):
            return {name: float(price) for name, price in prices.items()}
        case _:
            raise UsageError(f"{home / _KEPT} is not what `cost --refresh` writes", "delete it")


def keep_prices(
    home: Path, region: str, prices: Mapping[str, float], source: str, date: str
) -> None:
    """Keep prices that were retrieved, with their source and date."""
    entry = {"source": source, "date": date, "prices": dict(sorted(prices.items()))}
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
