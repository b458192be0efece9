"""The functions of a pipeline definition as values: Get, Std:Join, Std:JsonGet (FACTS 1.6)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pipelines.frozen import frozen
from pipelines.json_types import Json


@frozen
class Get:
    """`{"Get": path}`."""

    path: str


@frozen
class Join:
    """`{"Std:Join": {"On": on, "Values": values}}`."""

    on: str
    values: tuple[Value, ...]


@frozen
class JsonGet:
    """A value out of a JSON file that a processing step declared as a property file."""

    step: str
    property_file: str
    path: str


Value: TypeAlias = "str | int | float | bool | Get | Join | JsonGet"


def to_json(value: Json) -> Json:
    """Turn functions anywhere in a structure into their JSON form."""
    match value:
        case Get(path=path):
            return {"Get": path}
        case Join(on=on, values=values):
            return {"Std:Join": {"On": on, "Values": [to_json(v) for v in values]}}
        case JsonGet(step=step, property_file=name, path=path):
            file = {"Get": f"Steps.{step}.PropertyFiles.{name}"}
            return {"Std:JsonGet": {"PropertyFile": file, "Path": path}}
        case dict():
            return {key: to_json(item) for key, item in value.items()}
        case list() | tuple():
            return [to_json(item) for item in value]
        case _:
            return value


def join_path(*values: Value) -> Value:
    """Join parts of an S3 URI with `/`; literals stay a plain text."""
    if all(isinstance(v, str) for v in values):
        return "/".join(map(str, values))
    return Join("/", tuple(values))


def concatenate(values: Iterable[Value]) -> Value:
    """Join texts with nothing in between."""
    return Join("", tuple(values))
