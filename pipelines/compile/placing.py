"""Findings about steps → diagnostics in the document, each where its value is written.

What a step takes from `defaults:` is wrong there, once, however many steps take it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipelines import kinds
from pipelines.diagnostics import Diagnostic, Finding, Path
from pipelines.document import Document
from pipelines.json_types import Json, JsonObject

_OF_IMAGE_AND_INSTANCE = frozenset({"SP404", "SP405"})


def placed(document: Document, found: Iterable[Finding]) -> Iterator[Diagnostic]:
    """Locate findings; of those of one value of `defaults:` only the first with its code."""
    told = set[tuple[str, Path, tuple[int, int] | None]]()
    for finding in found:
        path = _written(document.data, finding)
        if path[:1] == ("defaults",):
            key = (finding.code, path, finding.within)
            if key in told:
                continue
            told.add(key)
        yield document.locate(replace(finding, path=path))


def taken_from_defaults(data: JsonObject, step: Json) -> JsonObject:
    """Return the entries of `defaults:` that a step takes, as they are written."""
    written = _mapping(step)
    kind = written.get("kind")
    found = kinds.find(kind) if isinstance(kind, str) else None
    keys = found.model.takes if found else ()
    defaults = _mapping(data.get("defaults"))
    return {key: defaults[key] for key in keys if key in defaults and key not in written}


def _written(data: JsonObject, finding: Finding) -> Path:
    """Return where the value is written that a finding of a step is about."""
    match finding.path:
        case ("steps", name, str(key), *below):
            step = _mapping(_mapping(data.get("steps")).get(str(name)))
            if key not in taken_from_defaults(data, step):
                return finding.path
            if finding.code in _OF_IMAGE_AND_INSTANCE and "instance_type" in step:
                return ("steps", name, "instance_type")
            return ("defaults", key, *below)
        case path:
            return path


def _mapping(value: Json) -> JsonObject:
    return value if isinstance(value, dict) else {}
