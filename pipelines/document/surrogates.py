r"""JSON's `\ud83d\ude00` (one character as a pair of escapes), which YAML parsers refuse.

The parser is given a text of the same length that it accepts; the values are put right
afterwards from the text as it was written.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.document.offsets import double_quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

_PAIR = r"(?<!\\)((?:\\\\)*)(\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2})"
_STAND_IN = r"\uE000\uE000"


def hidden(text: str) -> str:
    """Return the text with every pair of surrogate escapes replaced, its length unchanged."""
    if "\\ud" not in text and "\\uD" not in text:
        return text
    return re.sub(_PAIR, lambda match: match[1] + _STAND_IN, text)


def restored(value: str, style: str, written: str) -> str:
    """Return the value of a scalar that was read from a hidden text.

    Args:
        value: what the parser read.
        style: the style of the scalar, as in `Place`.
        written: the scalar in the text as the user wrote it.
    """
    pairs: Sequence[str] = [pair for _, pair in re.findall(_PAIR, written)]
    if not pairs:
        return value
    if style == '"':
        return double_quoted(written.split("\n"), 0) or value
    rest = iter(pairs)
    return re.sub(re.escape(_STAND_IN), lambda match: next(rest, match[0]), value)
