"""Checks for numbers that JSON has not, which the reader of a definition lets through."""

from __future__ import annotations

import math
from collections.abc import Iterator

from pipelines.definition.findings import error
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json


def check(definition: Definition) -> Iterator[Finding]:
    """Yield on NaN, infinities and what is as great, such as `1e400`; parameters know theirs."""
    for key, value in definition.whole.items():
        if key != "Parameters":
            for path in _places(value, (key,)):
                yield error("SP412", path, f"`{path[-1]}` is not a number that JSON has")


def _places(value: Json, path: Path) -> Iterator[Path]:
    match value:
        case dict():
            for key, member in value.items():
                yield from _places(member, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from _places(item, (*path, index))
        case float() if not math.isfinite(value):
            yield path
        case _:
            pass
