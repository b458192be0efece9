"""The text of a plain scalar → its value, by the YAML 1.2 core schema.

PyYAML follows YAML 1.1, where `no` is false, `012` is ten, `12:30` is 750 and `1e-3` is
a string. Source: YAML 1.2.2, section 10.3.2 (tag resolution of the core schema).
"""

from __future__ import annotations

import re
from typing import TypeAlias

Scalar: TypeAlias = str | int | float | bool | None

LONGEST_NUMBER = 4_000
"""Digits at which a number is refused: Python converts at most 4,300 to an int."""

_WORDS: dict[str, Scalar] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NUMBERS_START = frozenset("0123456789+-.")


def resolve(text: str) -> Scalar:
    """Return the value of a plain scalar; what is no null, boolean or number is a string.

    A number of more than `LONGEST_NUMBER` digits stays a string; see `too_long`.
    """
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in _NUMBERS_START or len(text) > LONGEST_NUMBER:
        return text
    if _DECIMAL.fullmatch(text):
        return int(text, 10)
    if _OCTAL.fullmatch(text):
        return int(text, 0)
    if _HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    return float(text) if _FLOAT.fullmatch(text) else text


def too_long(text: str) -> bool:
    """Return whether a plain scalar is a number with too many digits to be converted."""
    return len(text) > LONGEST_NUMBER and bool(_FLOAT.fullmatch(text))
