"""Runs every check over a definition and gathers what they find."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from importlib import import_module
from pathlib import Path

from pipelines.definition import checks
from pipelines.definition.findings import error
from pipelines.definition.steps import Definition, take_apart
from pipelines.diagnostics import Finding
from pipelines.json_types import Json


def check_definition(definition: Json) -> list[Finding]:
    """Return everything that is wrong with a pipeline definition, ours or anybody's.

    Args:
        definition: the parsed JSON; the paths of the findings lead into it.
    """
    if not isinstance(definition, dict):
        return [error("SP501", (), "a definition has to be an object")]
    parts = take_apart(definition)
    return [finding for check in _checks(tuple(checks.__path__)) for finding in check(parts)]


@functools.cache
def _checks(folders: tuple[str, ...]) -> tuple[Callable[[Definition], Iterable[Finding]], ...]:
    """Return the `check` of each module of `checks/`, of a definition taken apart."""
    files = (file for folder in folders for file in Path(folder).glob("[!_]*.py"))
    names = sorted(f"{checks.__name__}.{file.stem}" for file in files)
    return tuple(import_module(name).check for name in names)
