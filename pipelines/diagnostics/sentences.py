"""Parts of the sentences that findings are made of, so that all of them read alike."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from itertools import islice
from typing import Final

from pipelines.diagnostics.nearest import nearest

_MOST_LISTED = 12
_LONGEST_SENTENCE: Final = 3000
_LONG_QUOTATION: Final = r"`([^`]{200})[^`]+`"


def quoted(words: Iterable[str], conjunction: str = "or") -> str:
    """List words in backticks: `a`, `b` or `c`; of a long list only the beginning."""
    shown, left_off = _beginning(words)
    marked = [f"`{word}`" for word in shown]
    if left_off:
        return f"{', '.join(marked)} and {left_off} more"
    if len(marked) < 2:
        return "".join(marked)
    return f"{', '.join(marked[:-1])} {conjunction} {marked[-1]}"


def listed(words: Iterable[str], mark: str = "`") -> str:
    """List words with commas; of a long list only the beginning."""
    beginning, left_off = _beginning(words)
    shown = ", ".join(f"{mark}{word}{mark}" for word in beginning)
    return f"{shown} and {left_off} more" if left_off else shown


def _beginning(words: Iterable[str]) -> tuple[tuple[str, ...], int]:
    """Return the words to list and the number of the others, which are not even looked at."""
    known = words if isinstance(words, Collection) else tuple(words)
    return tuple(islice(known, _MOST_LISTED)), max(0, len(known) - _MOST_LISTED)


def suggestion(word: str, candidates: Iterable[str]) -> str | None:
    """Say which of the candidates was probably meant, or which there are; None without any."""
    known = candidates if isinstance(candidates, Collection) else tuple(candidates)
    meant = nearest(word, known)
    if meant is not None:
        return f"did you mean `{meant}`?"
    return f"write {quoted(known)}" if known else None


def counted(number: int, noun: str) -> str:
    """Put a number before a noun with a regular plural: `1 error`, `2 errors`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def in_words(value: object) -> str:
    """Name a value of JSON: a text or a number as it is written, an object or a list as that."""
    match value:
        case dict():
            return "an object"
        case list():
            return "a list"
        case None:
            return "null"
        case bool():
            return f"`{str(value).lower()}`"
        case _:
            return f"`{value}`"


def on_one_line(sentence: str) -> str:
    """Write what cannot be printed as its escape, and cut long quotations and sentences short."""
    printable = "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode("ascii")
        for letter in sentence
    )
    short = re.sub(_LONG_QUOTATION, r"`\1…`", printable)
    return short if len(short) <= _LONGEST_SENTENCE else f"{short[:_LONGEST_SENTENCE]}…"


def shortened(text: str) -> str:
    """Return a text that fits a message line."""
    line = text.replace("\n", "\\n")
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


_SHORT: Final = 60
