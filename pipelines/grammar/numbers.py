"""Numbers that stand in texts, as parameters carry them and as the service reads them."""

from __future__ import annotations

import math
import re
from typing import Final

_WHOLE: Final = re.compile(r"[+-]?[0-9]+")
_NUMBER: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_LONGEST: Final = 1024


def read_whole(text: str) -> int | None:
    """Return a whole number; None for any other text."""
    short = len(text) <= _LONGEST
    return int(text) if short and _WHOLE.fullmatch(text) else None


def read_number(text: str) -> float | None:
    """Return a finite number; None for any other text."""
    number = float(text) if len(text) <= _LONGEST and _NUMBER.fullmatch(text) else math.inf
    return number if math.isfinite(number) else None


def as_float(number: float) -> float | None:
    """Return a number as a finite float; None where there is none, as of 400 digits."""
    try:
        converted = float(number)
    except OverflowError:
        return None
    return converted if math.isfinite(converted) else None
