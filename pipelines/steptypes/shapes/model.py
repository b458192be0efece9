"""Shapes of a step Type: what its arguments and its properties may look like."""

from __future__ import annotations

import functools
import json
from dataclasses import field
from typing import Literal, TypeAlias

from pipelines.diagnostics import Path, Severity
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType, shape_file

ShapeKind: TypeAlias = Literal[
    "structure",
    "list",
    "map",
    "string",
    "integer",
    "long",
    "float",
    "double",
    "boolean",
    "timestamp",
    "blob",
    "any",
]
"""botocore's types, and `any` for what no model describes."""


@frozen
class Shape:
    """One shape of a service model.

    Args:
        name: botocore's name, or ours for what no model has.
        type: what kind of value it is.
        members: of a structure, each member's shape name.
        required: members that must be there.
        element: shape name of a list's elements.
        key: shape name of a map's keys.
        value: shape name of a map's values.
        enum: the values that a string may take; empty for any.
        pattern: a Python pattern for the whole string.
        min: least length of a string, least number of entries, or least number.
        max: greatest of the same.
        java: the service's own pattern, where `pattern` is a translation of it.
        sensitive: whether a message must not repeat the value.
        headers: of a request or response, the header in which each member travels that is not in
            the body.
        token: of a request, the member that clients fill in so that it takes effect once.
    """

    name: str
    type: ShapeKind
    members: dict[str, str] = field(default_factory=dict)
    required: tuple[str, ...] = ()
    element: str | None = None
    key: str | None = None
    value: str | None = None
    enum: tuple[str, ...] = ()
    pattern: str | None = None
    min: float | None = None
    max: float | None = None
    java: str | None = None
    sensitive: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    token: str | None = None


@frozen
class ShapeProblem:
    """One place where a value does not have its shape.

    Args:
        path: keys and indexes from the value that was checked down to the wrong one; of a
            missing member, the structure that lacks it.
        kind: which rule it breaks.
        message: the problem in one line, names in backticks.
        help: what to write instead.
        at: whether the key or the value is wrong.
        severity: a warning where the service's answer is not known.
        meant: of an unknown member, the one that it was probably meant to be.
        member: of a missing member, its name.
    """

    path: Path
    kind: Literal[
        "unknown-member",
        "missing-member",
        "wrong-type",
        "not-in-enum",
        "pattern",
        "length",
        "range",
        "reference-type",
    ]
    message: str
    help: str | None = None
    at: Literal["key", "value"] = "value"
    severity: Severity = Severity.ERROR
    meant: str | None = None
    member: str | None = None


@frozen
class PathProblem:
    """Why a path below `Steps.<name>.` leads nowhere; `help` names what is near."""

    message: str
    help: str | None = None


class ShapeTable:
    """Shapes by their names, made as they are asked for."""

    supplied: tuple[str, ...] = ()
    """Members of the request that it requires and that are filled in later."""

    def __init__(self, raw: JsonObject, made: dict[str, Shape] | None = None) -> None:
        self._raw = raw
        self._made = {} if made is None else made

    def get(self, name: str) -> Shape:
        """Return the shape of that name; every name that a shape mentions is there."""
        shape = self._made.get(name)
        if shape is None:
            raw = self._raw[name]
            given = {key: tuple(raw[key]) for key in ("required", "enum") if key in raw}
            shape = self._made[name] = Shape(name=name, **{**raw, **given})
        return shape

    def names(self) -> tuple[str, ...]:
        """Return the name of every shape, sorted."""
        return tuple(self._raw)


class Shapes(ShapeTable):
    """All shapes of one step Type."""

    def __init__(self, step_type: StepType, raw: JsonObject, made: dict[str, Shape]) -> None:
        super().__init__(raw["shapes"], made)
        self.step_type = step_type
        self.supplied = step_type.supplied
        self.botocore: str = raw["botocore"]

    @property
    def request(self) -> Shape | None:
        """Shape of the step's `Arguments`, or None where they hold steps."""
        name = self.step_type.request
        return None if name is None else self.get(name)

    @property
    def describe(self) -> Shape | None:
        """Shape of the step's properties, or None where it has none."""
        name = self.step_type.describe
        return None if name is None else self.get(name)


@functools.cache
def _loaded(type_name: str) -> tuple[JsonObject, dict[str, Shape]]:
    """Return what the file of a step Type holds, and where shapes are kept that are made of it."""
    raw: JsonObject = json.loads(shape_file(type_name).read_bytes())
    return raw, {}


def shapes_of(step_type: StepType) -> Shapes:
    """Return the shapes of a step Type; each is read and made once in a process."""
    return Shapes(step_type, *_loaded(step_type.name))
