"""Dotted places in a request or an answer: `a.b` is a member of a member, `*` each entry of a list.

Declarations of step Types name members by such places; an empty one is the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Path
from pipelines.json_types import Json


def below(value: Json, place: str) -> Iterator[tuple[Path, Json]]:
    """Yield what stands at a place, with the path that leads there."""
    yield from _descend(value, place.split(".") if place else [])


def value_at(value: Json, place: str) -> Json:
    """Return what stands at a place without `*`, or None where nothing does."""
    return next((found for _, found in below(value, place)), None)


def _descend(value: Json, parts: list[str]) -> Iterator[tuple[Path, Json]]:
    if not parts:
        yield (), value
        return
    for key, inner in _entries(value, parts[0]):
        for path, found in _descend(inner, parts[1:]):
            yield (key, *path), found


def _entries(value: Json, part: str) -> list[tuple[str | int, Json]]:
    if part == "*":
        return list(enumerate(value)) if isinstance(value, list) else []
    return [(part, value[part])] if isinstance(value, dict) and part in value else []
