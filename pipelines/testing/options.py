"""Keyword arguments of the fixtures → checked values, or a TypeError that says what is wrong."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic_core import PydanticCustomError

from pipelines.diagnostics.nearest import nearest
from pipelines.spec.values import literal_scalar, scalar_text

_MAPPINGS = ("channels", "inputs", "hyperparameters", "arguments", "environment", "parameters")
_LISTS = ("outputs", "requirements", "include")


def check_options(given: Mapping[str, object], known: frozenset[str]) -> None:
    """Refuse unknown options and those of another type: type checkers see them, pytest does not.

    Raises:
        TypeError: names the option, and what there is or how it is written.
    """
    for name, value in given.items():
        if name not in known:
            close = nearest(name, sorted(known))
            listed = f"the options are {', '.join(sorted(known))}"
            advice = f"did you mean `{close}`?" if close else listed
            raise TypeError(f"there is no option `{name}`: {advice}")
        if name in _MAPPINGS and not isinstance(value, Mapping):
            raise TypeError(f"`{name}` is a mapping of names to values, not {value!r}")
        if name in _LISTS and (isinstance(value, str) or not isinstance(value, Sequence)):
            raise TypeError(f"`{name}` is a list: write [{value!r}]")


def texts(given: Mapping[str, object], option: str) -> dict[str, str]:
    """Return the values of an option as the definition carries them.

    Raises:
        TypeError: one is not a text, a number or true/false.
    """
    return {name: _text(value, f"{option}.{name}") for name, value in given.items()}


def project_path(path: str | os.PathLike[str], project: Path) -> str:
    """Return a path as the spec writes it: relative to the project.

    One that leads elsewhere stays absolute, which no bundle accepts.

    Raises:
        TypeError: it is not a path.
    """
    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"a path is a text or a Path, not {path!r}")
    given = Path(path)
    for one, folder in ((given, project), (given.resolve(), project.resolve())):
        if given.is_absolute() and one.is_relative_to(folder):
            return one.relative_to(folder).as_posix()
    return given.as_posix()


def _text(value: object, where: str) -> str:
    try:
        return scalar_text(literal_scalar(value))
    except PydanticCustomError as mistake:
        raise TypeError(f"`{where}` {mistake.message()}") from None
