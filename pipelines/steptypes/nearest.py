"""The word that somebody probably meant."""

from __future__ import annotations

from collections.abc import Iterable


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that is closest, or None where none is close."""
    import difflib  # noqa: PLC0415  # only a mistake pays for the import

    by_lower = {name.replace("_", "").lower(): name for name in known}
    plain = word.replace("_", "").lower()
    close = difflib.get_close_matches(plain, by_lower, n=1, cutoff=0.6)
    return by_lower[close[0]] if close else None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """Return `did you mean …?`, or what there is when it is little, or None."""
    names = sorted(known)
    close = nearest(word, names)
    if close is not None:
        return f"did you mean `{close}`?"
    if 0 < len(names) <= _FEW:
        return "there is " + ", ".join(f"`{name}`" for name in names)
    return None


_FEW = 8
