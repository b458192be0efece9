"""Durations: ISO 8601 as the service documents it, and what people write in its place.

`parse_iso` reads what is right everywhere, `parse_short` the spec's `30d`, `parse_loose` what real
definitions hold and the service accepts (`30d`, `P30d`, `T12H`). `meant` returns what any other
text should have been.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from pipelines.frozen import frozen

_DATE: Final = r"(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?"
_TIME: Final = r"(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?"
_LOOSE: Final = rf"P?(?=\d|T\d){_DATE}(?:T?(?=\d){_TIME})?"
_SHORT: Final = r"(\d+)\s*(m|min|h|d|w)"
_TIME_MARK: Final = r"T\s*(?=\d)"
_PIECE: Final = r"\d+|[A-Z]+|\S"
# Patterns are compiled where they are used: most files hold no duration.

_YEAR, _MONTH, _WEEK, _DAY, _HOUR, _MINUTE, _SECOND = range(7)
_SECONDS: Final = (365 * 86400, 30 * 86400, 7 * 86400, 86400, 3600, 60, 1)
_UNITS: Final = {
    **dict.fromkeys(("Y", "YEAR", "YEARS"), _YEAR),
    **dict.fromkeys(("MO", "MONTH", "MONTHS"), _MONTH),
    **dict.fromkeys(("W", "WEEK", "WEEKS"), _WEEK),
    **dict.fromkeys(("D", "DAY", "DAYS"), _DAY),
    **dict.fromkeys(("H", "HOUR", "HOURS"), _HOUR),
    **dict.fromkeys(("MIN", "MINS", "MINUTE", "MINUTES"), _MINUTE),
    **dict.fromkeys(("S", "SEC", "SECOND", "SECONDS"), _SECOND),
}
"""What people call a unit; an `M` alone is a month or a minute, as its place has it."""


@frozen
class Duration:
    """A duration: how ISO 8601 writes it, and its seconds; a year is 365 days, a month 30."""

    iso: str
    seconds: int


def parse_iso(text: str) -> Duration | None:
    """Return what ISO 8601 reads in a text, as `P30D` or `PT12H`; None for any other text."""
    match = re.fullmatch(_LOOSE, text, re.ASCII)
    if match is None or _written(match.groups()) != text:
        return None
    return Duration(text, _duration(match.groups()).seconds)


def parse_short(text: str) -> Duration | None:
    """Return what one number and one unit are: `90min`, `12 h`, `30d`, `2w`; `m` are minutes."""
    match = re.fullmatch(_SHORT, text.strip(), re.ASCII)
    if match is None:
        return None
    amounts: list[str | None] = [None] * 7
    amounts[_MINUTE if match[2] == "m" else _UNITS[match[2].upper()]] = match[1]
    return _duration(amounts)


def parse_loose(text: str) -> Duration | None:
    """Return what a duration in a definition is; `P` and `T` may be missing, case is ignored."""
    match = re.fullmatch(_LOOSE, text, re.ASCII | re.IGNORECASE)
    if match is None:
        return None
    return parse_short(text.lower()) or _duration(match.groups())


def meant(text: str) -> str | None:
    """Return the ISO 8601 form of what a text probably is; None where nobody can know.

    `P7d` → `P7D`, `30 days` → `P30D`, `T12H` and `P12H` → `PT12H`.
    """
    asked = text.strip().upper()
    pieces = iter(re.findall(_PIECE, re.sub(_TIME_MARK, " T ", asked.removeprefix("P")), re.ASCII))
    in_time = not asked.startswith("P")
    amounts: list[str | None] = [None] * 7
    for piece in pieces:
        if piece == "T":
            in_time = True
            continue
        word = next(pieces, "")
        in_time = in_time or amounts[_HOUR] is not None
        unit = (_MINUTE if in_time else _MONTH) if word == "M" else _UNITS.get(word)
        if unit is None or not piece.isdigit() or amounts[unit] is not None:
            return None
        amounts[unit] = piece
    return _duration(amounts).iso if any(amounts) else None


def _duration(amounts: Sequence[str | None]) -> Duration:
    """Build a duration of years, months, weeks, days, hours, minutes and seconds."""
    seconds = sum(int(amount or 0) * unit for amount, unit in zip(amounts, _SECONDS, strict=True))
    numbers = [amount and str(int(amount)) for amount in amounts]
    return Duration(_written(numbers), seconds)


def _written(amounts: Sequence[str | None]) -> str:
    parts = [f"{n}{unit}" if n else "" for n, unit in zip(amounts, "YMWDHMS", strict=True)]
    date, time = "".join(parts[:_HOUR]), "".join(parts[_HOUR:])
    return f"P{date}T{time}" if time else f"P{date}"
