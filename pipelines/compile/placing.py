"""Findings about steps → diagnostics in the document, each where its value is written.

What a step takes from `defaults:` is wrong there, once, however many steps take it; what is wrong
in a file of the project, there, once, however many steps need the file.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from pipelines import kinds
from pipelines.diagnostics import Diagnostic, Finding, Path, Severity
from pipelines.document import Document
from pipelines.json_types import Json, JsonObject

_OF_IMAGE_AND_INSTANCE = frozenset({"SP404", "SP405", "SP419"})


def placed(document: Document, found: Iterable[Finding]) -> Iterator[Diagnostic]:
    """Locate findings; `once_each` then leaves out what several steps take from `defaults:`."""
    for finding in found:
        yield document.locate(replace(finding, path=_written(document.data, finding)))


def once_each(found: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Leave out diagnostics that stand there twice, and of a value of `defaults:` all but one.

    Such a value is one mistake, whatever each step says of it: an error, where there is one. What
    is wrong in a file of the project is said once, however many steps need the file.
    """
    kept: dict[object, Diagnostic] = {}
    for one in found:
        key = _mistake(one)
        told = kept.setdefault(key, one)
        if told.severity is not Severity.ERROR and one.severity is Severity.ERROR:
            kept[key] = one
    return tuple(kept.values())


def _mistake(found: Diagnostic) -> object:
    """Return what two diagnostics of the same mistake have in common."""
    if found.excerpt is not None and found.span is not None:
        return (found.code, found.message, found.span.source)
    return (found.path, found.span) if found.path[:1] == ("defaults",) else found


def taken_from_defaults(data: JsonObject, step: Json) -> JsonObject:
    """Return the entries of `defaults:` that a step takes, as they are written."""
    written = _mapping(step)
    kind = written.get("kind")
    found = kinds.find(kind) if isinstance(kind, str) else None
    taken = found.model.taken_by(written) if found else frozenset[str]()
    return {key: one for key, one in _mapping(data.get("defaults")).items() if key in taken}


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
