"""Checks a value against a shape: an argument of a definition, or a request to the service.

In a definition a function may stand for any part of the value, and texts are read as numbers. A
request is held to the shape as it stands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from types import MappingProxyType
from typing import Final

from pipelines.diagnostics import Path, Severity
from pipelines.diagnostics.keys import compare_keys
from pipelines.diagnostics.sentences import shortened
from pipelines.grammar.functions import is_function, result_type
from pipelines.grammar.numbers import as_float
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.shapes.model import Shape, ShapeProblem, ShapeTable
from pipelines.steptypes.shapes.scalars import (
    WANTED,
    check_count,
    check_scalar,
    check_string,
    label,
    wrong_type,
)

# Members that SDK v2 writes and CreateProcessingJob does not have; pipelines accept them
# (aws/sagemaker-python-sdk v2, ProcessingInput._to_request_dict and ProcessingOutput).
TOLERATED: Final[Mapping[str, frozenset[str]]] = {
    "ProcessingInput": frozenset({"AppManaged"}),
    "ProcessingOutput": frozenset({"AppManaged"}),
}

_NO_PARAMETERS: Final[Mapping[str, str]] = MappingProxyType({})

_ACCEPTED: Final[Mapping[str, frozenset[str]]] = {
    "string": frozenset({"String"}),
    "blob": frozenset({"String"}),
    "timestamp": frozenset({"String", "Integer", "Float"}),
    "integer": frozenset({"Integer"}),
    "long": frozenset({"Integer"}),
    "float": frozenset({"Integer", "Float"}),
    "double": frozenset({"Integer", "Float"}),
    "boolean": frozenset({"Boolean"}),
}


def check(
    value: Json,
    shape: Shape,
    shapes: ShapeTable,
    parameters: Mapping[str, str] = _NO_PARAMETERS,
) -> Iterator[ShapeProblem]:
    """Yield every place where `value` does not have `shape`.

    Args:
        value: the arguments of a step, or a part of them.
        shape: what they should look like.
        shapes: where the shapes that `shape` mentions are found.
        parameters: the pipeline's parameters, name → `String`, `Integer`, `Float`, `Boolean`.

    Functions themselves are not checked here, only whether their result can stand in the place.
    """
    yield from _Checker(shapes, parameters).value((), value, shape)


def check_request(value: Json, shape: Shape, shapes: ShapeTable) -> Iterator[ShapeProblem]:
    """Yield every place where a request, or a response, does not have `shape`.

    Args:
        value: its members as boto3 takes them: times as datetimes, blobs as bytes.
        shape: what they should look like.
        shapes: where the shapes that `shape` mentions are found.
    """
    yield from _RequestChecker(shapes, _NO_PARAMETERS).value((), value, shape)


class _Checker:
    """One run over one value: what does not change on the way down."""

    def __init__(self, shapes: ShapeTable, parameters: Mapping[str, str]) -> None:
        self._shapes = shapes
        self._parameters = parameters

    def value(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        """Yield the problems of one value; null stands for a member that is not there."""
        if shape.type == "any" or value is None:
            return iter(())
        if is_function(value):
            return self._function(path, value, shape)
        return self._literal(path, value, shape)

    def _literal(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        match shape.type:
            case "structure":
                return self._structure(path, value, shape)
            case "list":
                return self._list(path, value, shape)
            case "map":
                return self._map(path, value, shape)
            case _:
                return check_scalar(path, value, shape)

    def _function(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        result = result_type(value, self._parameters)
        if result is None or result in _ACCEPTED.get(shape.type, ()):
            return
        if shape.type == "string":
            yield ShapeProblem(
                path,
                "reference-type",
                f"`{value.get('Get')}` is of type {result}, but the service takes a String here",
                'join it: {"Std:Join": {"On": "", "Values": [<the reference>]}}',
            )
            return
        # Of a text where a number is wanted nobody has reported what the service does; what an
        # execution is called is no number whatever it does.
        scalar = shape.type in _ACCEPTED and not str(value.get("Get")).startswith("Execution.")
        given = f"an {result}" if result == "Integer" else f"a {result}"
        yield ShapeProblem(
            path,
            "reference-type",
            f"this gives {given}, but the service takes {WANTED[shape.type]} here",
            severity=Severity.WARNING if scalar else Severity.ERROR,
        )

    def _structure(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        if not isinstance(value, dict):
            yield wrong_type(path, value, shape)
            return
        yield from self._members(path, value, shape)
        for name, member in value.items():
            if name in shape.members:
                inner = self._shapes.get(shape.members[name])
                yield from self.value((*path, name), member, inner)

    def _members(self, path: Path, value: JsonObject, shape: Shape) -> Iterator[ShapeProblem]:
        """Yield the problems of the keys of a structure: missing ones and unknown ones."""
        optional = self._shapes.supplied if path == () else ()
        required = (name for name in shape.required if name not in optional)
        tolerated = TOLERATED.get(shape.name, frozenset())
        mistakes = compare_keys(
            [name for name in value if name not in tolerated],
            shape.members,
            [name for name in required if value.get(name) is None],
        )
        place = label(path, shape)
        for name in mistakes.missing:
            message = f"`{name}` is missing in `{place}`"
            yield ShapeProblem(path, "missing-member", message, member=name)
        for name, help_text in mistakes.unknown.items():
            yield ShapeProblem(
                (*path, name),
                "unknown-member",
                f"unknown key `{name}` in `{place}`",
                help_text,
                at="key",
                meant=mistakes.meant.get(name),
            )

    def _list(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        if not isinstance(value, list | tuple):
            yield wrong_type(path, value, shape)
            return
        yield from check_count(path, len(value), shape, "entries")
        element = self._shapes.get(shape.element or "")
        for index, item in enumerate(value):
            if item is None and element.type != "any":
                yield wrong_type((*path, index), item, element)
            yield from self.value((*path, index), item, element)

    def _map(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        if not isinstance(value, dict):
            yield wrong_type(path, value, shape)
            return
        yield from check_count(path, len(value), shape, "entries")
        key_shape = self._shapes.get(shape.key or "")
        value_shape = self._shapes.get(shape.value or "")
        for name, member in value.items():
            named = f"key of {label(path, shape)}"
            for problem in check_string((*path, named), name, key_shape):
                message = problem.message.replace(f"`{named}`", f"key of `{label(path, shape)}`")
                yield replace(problem, message=message, path=(*path, name), at="key")
            yield from self.value((*path, name), member, value_shape)


class _RequestChecker(_Checker):
    """The same rules without what only a definition may hold."""

    def value(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        """Yield the problems of one value."""
        if shape.type == "any" or value is None:
            return iter(())
        if not _is_of(shape.type, value):
            return iter((wrong_type(path, value, shape),))
        if shape.type == "blob":
            return check_count(path, len(value), shape, "bytes")
        return iter(()) if shape.type == "timestamp" else self._literal(path, value, shape)

    def _members(self, path: Path, value: JsonObject, shape: Shape) -> Iterator[ShapeProblem]:
        """Yield all missing members, and the first unknown one: who sends many gets no list."""
        place = label(path, shape)
        for name in shape.required:
            if value.get(name) is None:
                message = f"`{name}` is missing in `{place}`"
                yield ShapeProblem(path, "missing-member", message, member=name)
        for name in value:
            if name not in shape.members:
                message = f"unknown member `{shortened(str(name))}` in `{place}`"
                yield ShapeProblem((*path, name), "unknown-member", message, at="key")
                return


_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list, tuple),
    "string": (str,),
    "blob": (bytes,),
    "timestamp": (datetime, int, float),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


_BITS: Final[Mapping[str, int]] = {"integer": 32, "long": 64}


def _is_of(kind: str, value: Json) -> bool:
    if not isinstance(value, _TYPES[kind]) or isinstance(value, bool) != (kind == "boolean"):
        return False
    match value:
        case float():
            return math.isfinite(value)
        case int() if kind in _BITS:
            return -(1 << _BITS[kind] - 1) <= value < 1 << _BITS[kind] - 1
        case int() if kind in {"float", "double", "timestamp"}:
            return as_float(value) is not None
        case _:
            return True
