"""Runs every check over a definition and gathers what they find."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from pipelines.definition import checks
from pipelines.definition.findings import error
from pipelines.definition.steps import take_apart
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
    return [finding for check in _checks() for finding in import_module(check).check(parts)]


def _checks() -> list[str]:
    """Return the modules of `checks/`, each with a `check` of a definition taken apart."""
    files = (file for folder in checks.__path__ for file in Path(folder).glob("[!_]*.py"))
    return sorted(f"{checks.__name__}.{file.stem}" for file in files)
