"""Bytes as people read them."""

from __future__ import annotations

import re

from pipelines.errors import UsageError

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_AMOUNT = re.compile(r"(\d{1,15}(?:\.\d{1,9})?)\s*(B|kB|MB|GB|TB)", re.IGNORECASE | re.ASCII)


def size(count: int) -> str:
    """Write bytes as `1 byte`, `512 bytes`, `8.1 kB` or `12 MB`."""
    if count == 1:
        return "1 byte"
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    written = f"{amount:.1f}" if unit and amount < 10 else f"{amount:.0f}"
    return f"{written} {_UNITS[unit]}"


def at_least(count: int) -> str:
    """Write an amount that is as much or a little more, as `amount` reads it: `12GB`."""
    unit = next(n for n in range(1, len(_UNITS)) if count < 1000 ** (n + 1) or n == len(_UNITS) - 1)
    return f"{-(-count // 1000**unit)}{_UNITS[unit]}"


def amount(text: str) -> int:
    """Read an amount of bytes such as 500MB or 12GB.

    Raises:
        UsageError: it is none.
    """
    found = _AMOUNT.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"`{text}` is not an amount of bytes", "write 500MB or 12GB")
    units = ("b", *(one.lower() for one in _UNITS[1:]))
    return int(float(found[1]) * 1000 ** units.index(found[2].lower()))
