"""Checks the top level of a definition: its keys, its version, its configurations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import Keys, error
from pipelines.definition.steps import CONFIGS, Definition
from pipelines.diagnostics import Finding
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json

VERSION: Final = "2020-12-01"

_KEYS: Final = Keys(
    "SP501",
    "a definition",
    ("Version", "Metadata", "Parameters", *CONFIGS, "Steps"),
    ("Version", "Steps"),
)


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with keys, version, metadata, configurations and the list of steps."""
    whole = definition.whole
    mistakes = _KEYS.compare(whole)
    yield from _KEYS.unknown(mistakes, ())
    if whole.get("Version") != VERSION and not mistakes.means("Version"):
        path = ("Version",) if "Version" in whole else ()
        yield error("SP502", path, f"`Version` has to be `{VERSION}`")
    if not isinstance(whole.get("Metadata") or {}, dict):
        yield error("SP501", ("Metadata",), "`Metadata` has to be an object")
    for key, members in CONFIGS.items():
        yield from _check_config(whole.get(key), key, members)
    steps = whole.get("Steps")
    if (not isinstance(steps, list) or not steps) and not mistakes.means("Steps"):
        path = ("Steps",) if "Steps" in whole else ()
        yield error("SP501", path, "`Steps` has to be a list of at least one step")


def _check_config(value: Json, key: str, members: tuple[str, ...]) -> Iterator[Finding]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield error("SP501", (key,), f"`{key}` has to be an object")
        return
    yield from Keys("SP501", f"`{key}`", members).check(value, (key,))
    for member in members:
        inner = value.get(member)
        if inner is not None and not isinstance(inner, str) and not is_function(inner):
            yield error("SP501", (key, member), f"`{member}` has to be a string")
