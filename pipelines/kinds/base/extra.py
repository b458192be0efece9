"""`extra:` and the arguments of a step → arguments with the members that no key stands for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines.diagnostics import Path
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import EmitContext, EmittedStep


def with_extra(emitted: EmittedStep, extra: JsonObject, context: EmitContext) -> EmittedStep:
    """Add members to the request of a step; what the step sets by itself stays as it is."""
    if not extra:
        return emitted
    contested = tuple(_contested(emitted.arguments, extra, ()))
    members: JsonObject = resolved(extra, context)
    return replace(emitted, arguments=_merged(emitted.arguments, members), contested=contested)


def resolved(value: Json, context: EmitContext) -> Json:
    """Resolve the references in members of a request, at any depth."""
    match value:
        case dict():
            return {key: resolved(inner, context) for key, inner in value.items()}
        case list():
            return [resolved(inner, context) for inner in value]
        case _:
            return context.resolve(value)


def _contested(own: JsonObject, extra: JsonObject, path: Path) -> Iterator[Path]:
    for key, value in extra.items():
        if key not in own:
            continue
        if _is_structure(own[key]) and _is_structure(value):
            yield from _contested(own[key], value, (*path, key))
        else:
            yield (*path, key)


def _merged(own: JsonObject, extra: JsonObject) -> JsonObject:
    merged = dict(own)
    for key, value in extra.items():
        if key not in own:
            merged[key] = value
        elif _is_structure(own[key]) and _is_structure(value):
            merged[key] = _merged(own[key], value)
    return merged


def _is_structure(value: Json) -> bool:
    return isinstance(value, dict) and not is_function(value)
