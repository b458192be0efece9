"""Checks the form of functions, and finds the references they make.

The grammar is exactly what the SDK writes (core/workflow/functions.py): `{"Get": text}`,
`{"Std:Join": {"On": text, "Values": [...]}}` and `{"Std:JsonGet": {...}}` with a property file
or an S3 object. A function is an object with that one key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, TypeAlias

from pipelines.definition.model import Entry, error, error_on_key, warning
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.frozen import frozen
from pipelines.grammar.functions import (
    FUNCTIONS,
    GET,
    JOIN,
    JSON_GET,
    Target,
    is_function,
    parse_target,
)
from pipelines.grammar.paths import PathError, parse_json_path
from pipelines.json_types import Json, JsonObject

_DEEPEST: Final = 200


@frozen
class Reference:
    """One `Get`.

    Args:
        target: what it names.
        path: where the text stands.
        property_file: whether it stands in a JsonGet, which reads property files only.
    """

    target: Target
    path: Path
    property_file: bool = False


Found: TypeAlias = Iterator[Finding | Reference]


def functions_of_step(entry: Entry) -> Found:
    """Yield findings and references of a step, the steps inside it apart."""
    nested = {one.argument for one in entry.known.holds} if entry.known is not None else ()
    for key, value in entry.step.items():
        path = (*entry.path, key)
        if key == "Arguments" and isinstance(value, dict) and not is_function(value):
            for name, argument in value.items():
                if name not in nested:
                    yield from functions_in(argument, (*path, name))
        else:
            yield from functions_in(value, path)


def functions_in(value: Json, path: Path) -> Found:
    """Yield findings and references of any part of a definition."""
    if len(path) > _DEEPEST:
        yield error("SP514", path, f"values are nested deeper than {_DEEPEST}")
        return
    if is_function(value):
        yield from _function(value, path)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from functions_in(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from functions_in(item, (*path, index))


def _function(value: JsonObject, path: Path) -> Found:
    if len(value) != 1:
        names = ", ".join(f"`{key}`" for key in value)
        yield error("SP514", path, f"a function has exactly one key, not {names}")
        return
    (name,) = value
    place = (*path, name)
    match name:
        case "Get":
            yield from _get(value[GET], place)
        case "Std:Join":
            yield from _join(value[JOIN], place)
        case "Std:JsonGet":
            yield from _json_get(value[JSON_GET], place)
        case _:
            yield error_on_key(
                "SP514", place, f"there is no function `{name}`", suggestion(name, FUNCTIONS)
            )


def _get(target: Json, path: Path) -> Found:
    if isinstance(target, str):
        yield Reference(parse_target(target), path)
    else:
        yield error("SP514", path, "`Get` takes a text", 'write {"Get": "Parameters.<name>"}')


def _members(
    value: Json, path: Path, known: tuple[str, ...], required: tuple[str, ...]
) -> Iterator[Finding]:
    """Yield findings on a function's body; nothing where it has the right keys."""
    if not isinstance(value, dict):
        yield error("SP514", path, f"`{path[-1]}` takes an object")
        return
    for key in value:
        if key not in known:
            yield error_on_key(
                "SP514",
                (*path, key),
                f"unknown key `{key}` in `{path[-1]}`",
                suggestion(key, known),
            )
    for key in required:
        if key not in value:
            yield error("SP514", path, f"`{key}` is missing in `{path[-1]}`")


def _join(value: Json, path: Path) -> Found:
    yield from _members(value, path, ("On", "Values"), ("On", "Values"))
    if not isinstance(value, dict):
        return
    if "On" in value and not isinstance(value["On"], str):
        yield error("SP514", (*path, "On"), "`On` has to be a string")
    values = value.get("Values")
    if "Values" in value and not isinstance(values, list):
        yield error("SP514", (*path, "Values"), "`Values` has to be a list")
        return
    for index, item in enumerate(values or []):
        place = (*path, "Values", index)
        if is_function(item):
            yield from functions_in(item, place)
        elif not isinstance(item, str | int | float):
            yield error(
                "SP514", place, "`Std:Join` joins strings, numbers, true, false and functions"
            )


def _json_get(value: Json, path: Path) -> Found:
    yield from _members(value, path, ("PropertyFile", "S3Uri", "Path"), ("Path",))
    if not isinstance(value, dict):
        return
    if "Path" in value:
        yield from _json_path(value["Path"], (*path, "Path"))
    sources = [key for key in ("PropertyFile", "S3Uri") if key in value]
    if len(sources) != 1:
        yield error("SP514", path, "`Std:JsonGet` reads either a `PropertyFile` or an `S3Uri`")
    if "PropertyFile" in value:
        yield from _property_file(value["PropertyFile"], (*path, "PropertyFile"))
    if "S3Uri" in value:
        yield from _s3_uri(value["S3Uri"], (*path, "S3Uri"))


def _json_path(value: Json, path: Path) -> Iterator[Finding]:
    """Yield on what is no path; what only the local run cannot read is a warning."""
    if not isinstance(value, str):
        yield error("SP514", path, "`Path` has to be a string")
    elif not value:
        yield error("SP514", path, "`Path` is empty", "write the way to one value, as `auc.value`")
    else:
        try:
            parse_json_path(value)
        except PathError as problem:
            yield warning("SP514", path, str(problem), "write `.member`, `[0]` and `['key']`")


def _property_file(value: Json, path: Path) -> Found:
    if isinstance(value, dict) and list(value) == [GET] and isinstance(value[GET], str):
        yield Reference(parse_target(value[GET]), (*path, GET), property_file=True)
        return
    yield error(
        "SP514",
        path,
        "`PropertyFile` has to be a `Get`",
        'write {"Get": "Steps.<step>.PropertyFiles.<name>"}',
    )


def _s3_uri(value: Json, path: Path) -> Found:
    if isinstance(value, str):
        return
    if is_function(value) and JSON_GET not in value:
        yield from functions_in(value, path)
        return
    yield error("SP514", path, "`S3Uri` has to be a string, a `Get` or a `Std:Join`")
