"""A misspelt word → the known word that was probably meant ("did you mean")."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def nearest(word: str, candidates: Iterable[str]) -> str | None:
    """Return the candidate that `word` most probably was meant to be, or None.

    Case, `-` and `_` make no difference. One mistake (a letter missing, added, wrong, or two
    neighbours swapped) is allowed for every three letters; a word that only lacks its end, or has
    too long a one, is nearer than any other. Equally near candidates: the first one wins. A word
    in the plural, as `params`, is the one known word that begins with its singular; a word that
    only lacks its beginning, as `m5.large`, is the one known word that ends with it.
    """
    candidates = tuple(islice(candidates, _MOST + 1))
    if len(word) > _LONGEST or len(candidates) > _MOST:
        return None
    asked = _letters(word)
    found = _with_another_end(asked, candidates) or _mistyped(asked, candidates)
    found = found or _shortened_plural(asked, candidates)
    return found or _without_its_beginning(word.casefold(), candidates)


def _mistyped(asked: str, candidates: Iterable[str]) -> str | None:
    best: str | None = None
    least = max(1, len(asked) // 3) + 1
    for candidate in candidates:
        known = _letters(candidate)
        if not asked or not known or abs(len(known) - len(asked)) >= least:
            continue
        mistakes = _distance(asked, known)
        if mistakes < least and mistakes < max(len(asked), len(known)):
            best, least = candidate, mistakes
    return best


def _with_another_end(asked: str, candidates: Iterable[str]) -> str | None:
    found = [known for known in candidates if _begin_alike(asked, _letters(known))]
    return min(found, key=lambda known: abs(len(_letters(known)) - len(asked)), default=None)


def _shortened_plural(asked: str, candidates: Iterable[str]) -> str | None:
    begun = asked.removesuffix("s")
    found = [known for known in candidates if _letters(known).startswith(begun)]
    return found[0] if len(found) == 1 and asked != begun and len(begun) >= _TELLING else None


def _without_its_beginning(asked: str, candidates: Iterable[str]) -> str | None:
    ends = [known for known in candidates if known.casefold().endswith((f".{asked}", f"/{asked}"))]
    return ends[0] if len(ends) == 1 and len(asked) >= _TELLING else None


def _begin_alike(one: str, other: str) -> bool:
    shorter, longer = sorted((one, other), key=len)
    return len(shorter) >= _TELLING and longer.startswith(shorter)


_LONGEST = 200
"""The number of letters up to which a word can be a known one misspelt."""

_MOST = 300
"""The number of candidates up to which all of them are compared."""

_TELLING = 4
"""The number of letters from which on the beginning of a word shows which one is meant."""


def _letters(word: str) -> str:
    return word.casefold().translate(_SEPARATORS)


_SEPARATORS = str.maketrans("", "", "-_")


def _distance(left: str, right: str) -> int:
    """Count edits between two words: optimal string alignment, swaps count one."""
    before: list[int] = []
    above = list(range(len(right) + 1))
    for row, letter in enumerate(left, start=1):
        current = [row]
        for column, other in enumerate(right, start=1):
            cost = min(
                above[column] + 1,
                current[column - 1] + 1,
                above[column - 1] + (letter != other),
            )
            swapped = row > 1 and column > 1 and letter == right[column - 2]
            if swapped and left[row - 2] == other:
                cost = min(cost, before[column - 2] + 1)
            current.append(cost)
        before, above = above, current
    return above[-1]
