"""The service's check that a reference fits the member that it is assigned to (FACTS 11.3)."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.backends.local.engine.resolution import ResolutionError
from pipelines.diagnostics import Path
from pipelines.grammar.functions import is_function, target_of
from pipelines.grammar.paths import show_path
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.places import below


def refuse_untyped_references(
    step: JsonObject, arguments: JsonObject, step_type: StepType | None
) -> None:
    """Refuse values that are not strings in the members of a request that take only strings.

    Args:
        step: the step's entry in the definition.
        arguments: its arguments, resolved.
        step_type: what is known about its Type; nothing is refused for an unknown one.

    Raises:
        ResolutionError: with the service's message if the value came from a reference.
    """
    for place in step_type.strings if step_type is not None else ():
        for path, value in _entries(arguments, place):
            if isinstance(value, str):
                continue
            stated = _at(step.get("Arguments", {}), path)
            target = target_of(stated)
            if target is None:
                raise _not_a_string(show_path(path), stated)
            raise ResolutionError(
                f"Cannot assign property reference [{target.text}] to argument of type [String]",
                'join it: {"Std:Join": {"On": "", "Values": [{"Get": "' + target.text + '"}]}}',
            )


def _not_a_string(place: str, stated: Json) -> ResolutionError:
    if not is_function(stated):
        return ResolutionError(f"`{place}` must be a string")
    return ResolutionError(
        f"`{place}` must be a string, but its function does not return one",
        'join it: {"Std:Join": {"On": "", "Values": [<the function>]}}',
    )


def _entries(arguments: JsonObject, place: str) -> Iterator[tuple[Path, Json]]:
    """Yield the entries of the maps and lists at a place."""
    for path, holder in below(arguments, place):
        if isinstance(holder, dict):
            yield from (((*path, key), value) for key, value in holder.items())
        elif isinstance(holder, list):
            yield from (((*path, index), value) for index, value in enumerate(holder))


def _at(value: Json, path: Path) -> Json:
    """Return what is written at a path; None below a function."""
    for key in path:
        if isinstance(value, list) and isinstance(key, int):
            value = value[key]
        else:
            value = value.get(key) if isinstance(value, dict) else None
    return value
