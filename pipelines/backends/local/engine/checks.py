"""The service's checks of a request, once every function in it has its value.

The shapes, limits and rules are those that the definition was checked by; what a reference
becomes is known here alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, cast

from pipelines.backends.local.engine.resolution import ResolutionError
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.grammar.functions import (
    Get,
    JsonGet,
    PropertyFile,
    function_of,
    is_function,
    target_of,
)
from pipelines.grammar.paths import show_path
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.arguments import check_arguments
from pipelines.steptypes.places import below
from pipelines.steptypes.shapes import shapes_of
from pipelines.steptypes.shapes.reading import as_read

_MOST: Final = 3
"""Problems that a step's reason names."""


def checked_request(
    step: JsonObject, arguments: JsonObject, step_type: StepType | None
) -> JsonObject:
    """Return the arguments of a step as the service reads them.

    Args:
        step: the step's entry in the definition.
        arguments: its arguments, resolved.
        step_type: what is known about its Type; nothing is refused for an unknown one.

    Raises:
        ResolutionError: the service would refuse them, with the reason.
    """
    if step_type is None:
        return arguments
    _refuse_untyped_references(step, arguments, step_type)
    stated = step.get("Arguments", {})
    if step_type.request is not None:
        _refuse_nulls(stated, arguments)
    refused = [
        finding
        for finding in check_arguments(step_type, arguments, {})
        if finding.severity is Severity.ERROR or _is_empty(finding, stated, arguments)
    ]
    if refused:
        said = "; ".join(_with_source(one, stated) for one in refused[:_MOST])
        more = f"; and {len(refused) - _MOST} more" if len(refused) > _MOST else ""
        raise ResolutionError(f"{said}{more}", refused[0].help)
    shapes = shapes_of(step_type)
    read = arguments if shapes.request is None else as_read(arguments, shapes.request, shapes)
    return cast("JsonObject", read)


def _is_empty(finding: Finding, stated: Json, arguments: Json) -> bool:
    """Return whether a function gave an empty text: at the desk that may be a placeholder."""
    return _at(arguments, finding.path) == "" and is_function(_at(stated, finding.path))


def _refuse_nulls(stated: Json, arguments: Json) -> None:
    """Refuse what a function gave nothing for: the member would be taken as not given."""
    if arguments is None and is_function(stated):
        named = _named(stated)
        raise ResolutionError(
            "a function has the value null" if named is None else f"{named} is null"
        )
    if isinstance(arguments, dict | list) and not is_function(stated):
        keys = arguments if isinstance(arguments, dict) else range(len(arguments))
        for key in keys:
            _refuse_nulls(_at(stated, (key,)), arguments[key])


def _with_source(finding: Finding, stated: Json) -> str:
    """Return what is wrong, and which function gave the value."""
    named = _named(_at(stated, finding.path))
    return finding.message if named is None else f"{finding.message} ({named})"


def _named(function: Json) -> str | None:
    """Return what a function reads; None for a join and what is no function."""
    match function_of(function):
        case Get(target=target):
            return f"`{target}`"
        case JsonGet(file=PropertyFile(name=name), path=path):
            return f"`{path}` of `{name}`"
        case JsonGet(path=path):
            return f"`{path}`"
        case _:
            return None


def _refuse_untyped_references(
    step: JsonObject, arguments: JsonObject, step_type: StepType
) -> None:
    """Refuse values that are not strings in the members of a request that take only strings.

    Raises:
        ResolutionError: with the service's message if the value came from a reference.
    """
    for place in step_type.strings:
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
