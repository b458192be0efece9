"""Checks the form of functions.

The grammar is exactly what the SDK writes (core/workflow/functions.py): `{"Get": text}`,
`{"Std:Join": {"On": text, "Values": [...]}}` and `{"Std:JsonGet": {...}}` with a property file
or an S3 object. A function is an object with that one key.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import Keys, error, error_on_key, warning
from pipelines.definition.steps import CONFIGS, Definition
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import listed, suggestion
from pipelines.grammar.functions import FUNCTIONS, JOIN, JSON_GET, is_function, target_of
from pipelines.grammar.paths import PathError, parse_json_path
from pipelines.json_types import Json, JsonObject

_DEEPEST: Final = 200
_JOIN_KEYS: Final = Keys("SP514", f"`{JOIN}`", ("On", "Values"), ("On", "Values"))
_FILES: Final = ("PropertyFile", "S3Uri")
_JSON_GET_KEYS: Final = Keys("SP514", f"`{JSON_GET}`", (*_FILES, "Path"), ("Path",))


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with the form of every function."""
    for key in CONFIGS:
        yield from _functions_in(definition.whole.get(key), (key,))
    for step in definition.steps:
        yield from _functions_in(step.apart, step.path)


def _functions_in(value: Json, path: Path) -> Iterator[Finding]:
    if len(path) > _DEEPEST:
        yield error("SP514", path, f"values are nested deeper than {_DEEPEST}")
        return
    if is_function(value):
        yield from _function(value, path)
    elif isinstance(value, dict):
        for key, member in value.items():
            yield from _functions_in(member, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _functions_in(item, (*path, index))


def _function(value: JsonObject, path: Path) -> Iterator[Finding]:
    if len(value) != 1:
        yield error("SP514", path, f"a function has exactly one key, not {listed(value)}")
        return
    (name,) = value
    place, body = (*path, name), value[name]
    match name:
        case "Get":
            if not isinstance(body, str):
                help_text = 'write {"Get": "Parameters.<name>"}'
                yield error("SP514", place, "`Get` takes a text", help_text)
        case "Std:Join" | "Std:JsonGet" if not isinstance(body, dict):
            yield error("SP514", place, f"`{name}` takes an object")
        case "Std:Join":
            yield from _join(body, place)
        case "Std:JsonGet":
            yield from _json_get(body, place)
        case _:
            message = f"there is no function `{name}`"
            yield error_on_key("SP514", place, message, suggestion(name, FUNCTIONS))


def _join(body: JsonObject, path: Path) -> Iterator[Finding]:
    yield from _JOIN_KEYS.check(body, path)
    if "On" in body and not isinstance(body["On"], str):
        yield error("SP514", (*path, "On"), "`On` has to be a string")
    values = body.get("Values", [])
    if not isinstance(values, list):
        yield error("SP514", (*path, "Values"), "`Values` has to be a list")
        return
    for index, item in enumerate(values):
        place = (*path, "Values", index)
        if is_function(item):
            yield from _functions_in(item, place)
        elif not isinstance(item, str | int | float):
            message = f"`{JOIN}` joins strings, numbers, true, false and functions"
            yield error("SP514", place, message)


def _json_get(body: JsonObject, path: Path) -> Iterator[Finding]:
    mistakes = _JSON_GET_KEYS.compare(body)
    yield from _JSON_GET_KEYS.check(body, path)
    if "Path" in body:
        yield from _json_path(body["Path"], (*path, "Path"))
    files = [key for key in _FILES if key in body]
    if len(files) != 1 and not any(map(mistakes.means, _FILES)):
        yield error("SP514", path, f"`{JSON_GET}` reads either a `PropertyFile` or an `S3Uri`")
    if "PropertyFile" in body and target_of(body["PropertyFile"]) is None:
        yield error(
            "SP514",
            (*path, "PropertyFile"),
            "`PropertyFile` has to be a `Get`",
            'write {"Get": "Steps.<step>.PropertyFiles.<name>"}',
        )
    if "S3Uri" in body:
        yield from _s3_uri(body["S3Uri"], (*path, "S3Uri"))


def _json_path(value: Json, path: Path) -> Iterator[Finding]:
    """Yield where it is not a path; what only the local run cannot read is a warning."""
    if not isinstance(value, str):
        yield error("SP514", path, "`Path` has to be a string")
    elif not value:
        yield error("SP514", path, "`Path` is empty", "write the way to one value, as `auc.value`")
    else:
        try:
            parse_json_path(value)
        except PathError as problem:
            yield warning("SP514", path, str(problem), "write `.member`, `[0]` and `['key']`")


def _s3_uri(value: Json, path: Path) -> Iterator[Finding]:
    if isinstance(value, str):
        return
    if is_function(value) and JSON_GET not in value:
        yield from _functions_in(value, path)
        return
    yield error("SP514", path, "`S3Uri` has to be a string, a `Get` or a `Std:Join`")
