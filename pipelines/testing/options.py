"""Keyword arguments of the fixtures → the same, or a TypeError that says what there is."""

from __future__ import annotations

from collections.abc import Mapping

_MAPPINGS = ("channels", "inputs", "hyperparameters", "arguments", "environment")
_LISTS = ("outputs", "requirements", "include")


def check_options(given: Mapping[str, object], known: frozenset[str]) -> None:
    """Refuse what is no option, or plainly of another sort: type checkers see it, pytest does not.

    Raises:
        TypeError: names the option, and what there is or how it is written.
    """
    for name, value in given.items():
        if name not in known:
            raise TypeError(f"there is no option `{name}`: there is {', '.join(sorted(known))}")
        if name in _MAPPINGS and not isinstance(value, Mapping):
            raise TypeError(f"`{name}` is a mapping of names to values, not {value!r}")
        if name in _LISTS and isinstance(value, str):
            raise TypeError(f"`{name}` is a list: write [{value!r}]")
