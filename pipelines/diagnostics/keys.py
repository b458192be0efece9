"""The keys that an object has and those that it may have → which are unknown, which are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import suggestion
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping


@frozen
class KeyMistakes:
    """What is wrong with the keys of an object.

    Args:
        unknown: each unknown key → what to write instead.
        missing: the required keys that are not there, nor meant by an unknown one.
        meant: unknown key → the known one that it was probably meant to be.
    """

    unknown: Mapping[str, str | None]
    missing: tuple[str, ...]
    meant: Mapping[str, str]

    def means(self, key: str) -> bool:
        """Return whether an unknown key was probably meant to be this one."""
        return key in self.meant.values()


def compare_keys(
    given: Collection[str], known: Collection[str], missing: Iterable[str] = ()
) -> KeyMistakes:
    """Compare the keys of an object with those that it may have.

    A required key that stands there misspelt is one mistake: the unknown key.

    Args:
        given: its keys.
        known: those that it may have.
        missing: the required ones that it lacks.
    """
    unknown: dict[str, str | None] = {}
    meant: dict[str, str] = {}
    for key in given:
        if key not in known:
            close = nearest(key, (one for one in known if one not in given))
            unknown[key] = f"did you mean `{close}`?" if close else suggestion(key, known)
            if close is not None:
                meant[key] = close
    left = tuple(key for key in missing if key not in meant.values())
    return KeyMistakes(unknown, left, meant)
