"""Bytes as people read them."""

from __future__ import annotations

_UNITS = ("bytes", "kB", "MB", "GB", "TB")


def size(count: int) -> str:
    """Write bytes as `1 byte`, `512 bytes`, `8.1 kB` or `12 MB`."""
    if count == 1:
        return "1 byte"
    amount, unit = float(count), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    written = f"{amount:.1f}" if unit and amount < 10 else f"{amount:.0f}"
    return f"{written} {_UNITS[unit]}"
