"""A step that something stands for → what has to be said in its place: what others read of it."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from typing import Final

from pipelines.definition.steps import Definition, Step, take_apart
from pipelines.grammar.functions import (
    Get,
    Join,
    JsonGet,
    function_of,
    is_function,
    parse_target,
    property_file_of,
)
from pipelines.grammar.paths import Key, PathError, ValuePath, follow, parse_path, show_path
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.shapes import Shape, member_at, shapes_of

_FOLDER: Final = "<folder>"
_TEXT: Final = "<text>"
_PLACEHOLDERS: Final[dict[str, Json]] = {
    "integer": 0,
    "long": 0,
    "float": 0.5,
    "double": 0.5,
    "boolean": True,
}


def stub_of(definition: JsonObject, name: str) -> JsonObject:
    """Return what a stub of a step has to hold, with placeholders for values and folders.

    Properties that follow from the arguments are left out, as `run --stub` fills them in.
    """
    parts = take_apart(definition)
    step = parts.named[name]
    known = _synthesized(step)
    places = _places(step, known)
    files = dict(_files_in_s3(definition, step))
    properties: JsonObject = {}
    outputs: dict[str, Json] = {}
    for path, folder in _read(parts, step):
        if isinstance(folder, str):
            outputs[folder] = _folder_of(step, folder)
            continue
        try:
            found = follow(known, path)
        except PathError:
            properties = _with(properties, path, step)
        else:
            place = places.get(str(found), show_path(path) if path in files else None)
            if place is not None:
                outputs.setdefault(place, files.get(path, _FOLDER))
    stub = {"properties": properties, "outputs": outputs}
    return {key: value for key, value in stub.items() if value}


def _read(definition: Definition, step: Step) -> Iterator[tuple[ValuePath, str | None]]:
    """Yield what is read of a step: a property path, or the output that a property file is in."""
    files = {
        entry.get("PropertyFileName"): entry.get("OutputName")
        for entry in step.whole.get("PropertyFiles") or ()
    }
    for get, _ in definition.gets():
        if get.target.step != step.name:
            continue
        file = property_file_of(get.target)
        if file is not None:
            yield (), files.get(file.name)
        elif get.target.path:
            yield parse_path(get.target.path), None


def _files_in_s3(value: Json, step: Step) -> Iterator[tuple[ValuePath, str]]:
    """Yield the properties of a step below which `Std:JsonGet` reads a file, with a placeholder."""
    match function_of(value):
        case JsonGet(file=Join(values=(Get() as get, *names))) if all(
            isinstance(name, str) for name in names
        ):
            target = parse_target(get.target)
            if target.step == step.name:
                yield parse_path(target.path), f"<folder with {'/'.join(map(str, names))}>"
        case _:
            pass
    if isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _files_in_s3(inner, step)


def _folder_of(step: Step, output: str) -> str:
    """Return a placeholder that names the property files that are read in an output."""
    files = [
        entry.get("FilePath")
        for entry in step.whole.get("PropertyFiles") or ()
        if entry.get("OutputName") == output
    ]
    named = " and ".join(file for file in files if isinstance(file, str))
    return f"<folder with {named}>" if named else _FOLDER


def _synthesized(step: Step) -> JsonObject:
    """Return the properties that a stub need not give; a text of its own for each function."""
    numbers = count()

    def plain(value: Json) -> Json:
        if is_function(value):
            return f"s3://function/{next(numbers)}"
        if isinstance(value, dict):
            return {key: plain(member) for key, member in value.items()}
        return [plain(entry) for entry in value] if isinstance(value, list) else value

    arguments: JsonObject = plain(step.apart.get("Arguments") or {})
    if step.known is None:
        return arguments
    made = step.known.resource
    names = (made.name, made.arn) if made is not None else ()
    named = {name: name for name in names if name is not None}
    return {**named, **arguments, **step.known.describes(arguments, "job")}


def _places(step: Step, properties: JsonObject) -> dict[str, str]:
    """Return the URIs of a step's outputs, each with the name of the output."""
    return {
        str(place.uri_of(entry)): name
        for place in (step.known.outputs if step.known is not None else ())
        for name, entry in place.entries(properties)
    }


def _with(value: Json, path: ValuePath, step: Step, depth: int = 0) -> Json:
    """Return a value with a placeholder at a path; `depth` parts of it lead to the value."""
    if depth == len(path):
        return _placeholder(step, path)
    part = path[depth]
    name = _naming_member(step, path[:depth]) if isinstance(part, Key) else None
    if isinstance(part, int):
        entries = [*(value or ()), *({} for _ in range(part + 1 - len(value or ())))]
        entries[part] = _with(entries[part], path, step, depth + 1)
        return entries
    if name is not None:
        others = [entry for entry in value or () if entry.get(name) != part]
        same = next((entry for entry in value or () if entry.get(name) == part), {name: part})
        return [*others, _with(same, path, step, depth + 1)]
    holder = value or {}
    return {**holder, str(part): _with(holder.get(part), path, step, depth + 1)}


def _shape_at(step: Step, path: ValuePath) -> Shape | None:
    found = member_at(shapes_of(step.known), show_path(path)) if step.known is not None else None
    return found if isinstance(found, Shape) else None


def _naming_member(step: Step, path: ValuePath) -> str | None:
    """Return the member that names the entries of the list at a path; None where none is."""
    shape = _shape_at(step, path)
    if step.known is None or shape is None or shape.type != "list":
        return None
    members = shapes_of(step.known).get(shape.element or "").members
    return next((name for name in members if name.endswith("Name")), None)


def _placeholder(step: Step, path: ValuePath) -> Json:
    """Return a value of the type that is declared for a property."""
    for key in step.known.step_keys if step.known is not None else ():
        for entry in step.whole.get(key.name) or () if key.named_by is not None else ():
            if path == (key.name, entry.get(key.named_by)):
                return _PLACEHOLDERS.get(str(entry.get("OutputType")).lower(), _TEXT)
    shape = _shape_at(step, path)
    return _PLACEHOLDERS.get(shape.type, _TEXT) if shape is not None else _TEXT
