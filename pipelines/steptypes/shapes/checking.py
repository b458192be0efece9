"""Checks a JSON value against a shape; a definition function may stand for any part of it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from pipelines.diagnostics import Path, Severity
from pipelines.diagnostics.keys import compare_keys
from pipelines.diagnostics.sentences import suggestion
from pipelines.grammar.functions import FUNCTIONS, is_function, result_type
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.shapes.model import Shape, ShapeProblem, Shapes

# Members that SDK v2 writes and CreateProcessingJob does not have; pipelines accept them
# (aws/sagemaker-python-sdk v2, ProcessingInput._to_request_dict and ProcessingOutput).
TOLERATED: Final[Mapping[str, frozenset[str]]] = {
    "ProcessingInput": frozenset({"AppManaged"}),
    "ProcessingOutput": frozenset({"AppManaged"}),
}

_NO_PARAMETERS: Final[Mapping[str, str]] = MappingProxyType({})

# Longer texts are only measured: no pattern of the service says more about them.
_PATTERN_TEXT_MAX: Final = 4096

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
_WANTED: Final[Mapping[str, str]] = {
    "structure": "an object",
    "map": "an object",
    "list": "a list",
    "string": "a string",
    "blob": "a string",
    "timestamp": "a time",
    "integer": "a whole number",
    "long": "a whole number",
    "float": "a number",
    "double": "a number",
    "boolean": "true or false",
}


def check(
    value: Json,
    shape: Shape,
    shapes: Shapes,
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


class _Checker:
    """One run over one value: what does not change on the way down."""

    def __init__(self, shapes: Shapes, parameters: Mapping[str, str]) -> None:
        self._shapes = shapes
        self._parameters = parameters

    def value(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        """Yield the problems of one value; null stands for a member that is not there."""
        if shape.type == "any" or value is None:
            return iter(())
        if is_function(value):
            return self._function(path, value, shape)
        match shape.type:
            case "structure":
                return self._structure(path, value, shape)
            case "list":
                return self._list(path, value, shape)
            case "map":
                return self._map(path, value, shape)
            case _:
                return _scalar(path, value, shape)

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
        # Of a text where a number is wanted nobody has reported what the service does.
        scalar = shape.type in _ACCEPTED
        yield ShapeProblem(
            path,
            "reference-type",
            f"the function gives a {result}, but the service takes {_WANTED[shape.type]} here",
            severity=Severity.WARNING if scalar else Severity.ERROR,
        )

    def _structure(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        if not isinstance(value, dict):
            yield _wrong_type(path, value, shape)
            return
        yield from self._members(path, value, shape)
        for name, member in value.items():
            if name in shape.members:
                inner = self._shapes.get(shape.members[name])
                yield from self.value((*path, name), member, inner)

    def _members(self, path: Path, value: JsonObject, shape: Shape) -> Iterator[ShapeProblem]:
        """Yield the problems of the keys of a structure: missing ones and unknown ones."""
        optional = self._shapes.step_type.supplied if path == () else ()
        required = (name for name in shape.required if name not in optional)
        tolerated = TOLERATED.get(shape.name, frozenset())
        mistakes = compare_keys(
            [name for name in value if name not in tolerated],
            shape.members,
            [name for name in required if value.get(name) is None],
        )
        place = _label(path, shape)
        for name in mistakes.missing:
            message = f"`{name}` is missing in `{place}`"
            yield ShapeProblem(path, "missing-member", message)
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
        if not isinstance(value, list):
            yield _wrong_type(path, value, shape)
            return
        yield from _count(path, len(value), shape, "entries")
        element = self._shapes.get(shape.element or "")
        for index, item in enumerate(value):
            if item is None and element.type != "any":
                yield _wrong_type((*path, index), item, element)
            yield from self.value((*path, index), item, element)

    def _map(self, path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
        if not isinstance(value, dict):
            yield _wrong_type(path, value, shape)
            return
        yield from _count(path, len(value), shape, "entries")
        key_shape = self._shapes.get(shape.key or "")
        value_shape = self._shapes.get(shape.value or "")
        for name, member in value.items():
            for problem in _string((*path, f"key of {_label(path, shape)}"), name, key_shape):
                yield replace(problem, path=(*path, name), at="key")
            yield from self.value((*path, name), member, value_shape)


def _scalar(path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
    match shape.type:
        case "string" | "blob":
            yield from _string(path, value, shape)
        case "boolean":
            if not isinstance(value, bool):
                yield _wrong_type(path, value, shape)
        case "timestamp":
            if not isinstance(value, str | int | float) or isinstance(value, bool):
                yield _wrong_type(path, value, shape)
        case _:
            yield from _number(path, value, shape)


def _string(path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
    if not isinstance(value, str):
        yield _wrong_type(path, value, shape)
        return
    if shape.enum:
        if value not in shape.enum:
            yield ShapeProblem(
                path,
                "not-in-enum",
                f"`{value}` is not a value of `{_label(path, shape)}`",
                suggestion(value, shape.enum),
                severity=_severity(value),
            )
        return
    lengths = list(_count(path, len(value), shape, "characters"))
    for problem in lengths:
        yield replace(problem, severity=_text_severity(value, shape))
    if shape.pattern is None or lengths or len(value) > _PATTERN_TEXT_MAX:
        return
    if re.fullmatch(shape.pattern, value) is None:
        yield _bad_pattern(path, value, shape)


def _bad_pattern(path: Path, value: str, shape: Shape) -> ShapeProblem:
    place = _label(path, shape)
    if "\n" in value and re.fullmatch(shape.pattern or "", value.replace("\n", " ")):
        return ShapeProblem(
            path,
            "pattern",
            f"`{place}` holds a line break, which the service refuses",
            "write the value on one line",
        )
    return ShapeProblem(
        path,
        "pattern",
        f"`{_short(value)}` is not a valid `{place}`",
        f"it has to match {shape.pattern}",
        severity=_text_severity(value, shape),
    )


def _text_severity(value: str, shape: Shape) -> Severity:
    """Return how sure it is that the text is wrong.

    ARNs with a masked account and texts left empty stand in definitions that somebody fills in
    later, as placeholders do.
    """
    if not value or shape.name.endswith("Arn") or value.startswith("arn:"):
        return Severity.WARNING
    return _severity(value)


def _severity(value: Json) -> Severity:
    """Return how sure it is that a value is wrong: a template's placeholder stands for any."""
    placeholder = isinstance(value, str) and _PLACEHOLDER.search(value) is not None
    return Severity.WARNING if placeholder else Severity.ERROR


_PLACEHOLDER: Final = re.compile(r"\$\{|\{\{|<[^>]+>|X{4}")


def _number(path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
    number = _as_number(value)
    if number is None or (shape.type in {"integer", "long"} and number % 1):
        yield _wrong_type(path, value, shape)
        return
    low, high = shape.min, shape.max
    if (low is not None and number < low) or (high is not None and number > high):
        yield ShapeProblem(
            path,
            "range",
            f"`{_label(path, shape)}` is {value}, but has to be {_between(low, high)}",
        )


def _as_number(value: Json) -> float | None:
    """Return a number, also out of a text: the service reads both (real definitions hold both)."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return value
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return None
    return None


def _count(path: Path, count: int, shape: Shape, what: str) -> Iterator[ShapeProblem]:
    low, high = shape.min, shape.max
    if (low is not None and count < low) or (high is not None and count > high):
        yield ShapeProblem(
            path,
            "length",
            f"`{_label(path, shape)}` has {count} {what}, but has to have {_between(low, high)}",
        )


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    if high is None:
        return f"at least {low}"
    return f"{low} to {high}"


def _wrong_type(path: Path, value: Json, shape: Shape) -> ShapeProblem:
    problem = f"`{_label(path, shape)}` has to be {_WANTED[shape.type]}, not {_described(value)}"
    hint = None
    if isinstance(value, dict) and len(value) == 1 and shape.type not in {"structure", "map"}:
        hint = suggestion(next(iter(value)), FUNCTIONS)
    if shape.type == "string" and isinstance(value, int | float):
        hint = f'write "{value}"' if not isinstance(value, bool) else None
    return ShapeProblem(path, "wrong-type", problem, hint, severity=_severity(value))


def _described(value: Json) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case dict():
            return "an object"
        case list():
            return "a list"
        case str():
            return f"the string `{_short(value)}`"
        case _:
            return f"the number {value}"


def _short(text: str) -> str:
    """Return a text that fits a message line."""
    line = text.replace("\n", "\\n")
    return line if len(line) <= _SHORT else f"{line[: _SHORT - 1]}…"


_SHORT: Final = 60


def _label(path: Path, shape: Shape) -> str:
    """Return what to call a place: its key, or its shape's name at the top."""
    for part in reversed(path):
        if isinstance(part, str):
            return part
    return shape.name
