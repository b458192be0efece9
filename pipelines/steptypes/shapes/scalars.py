"""Checks texts, numbers and lengths against a shape, and describes what is wrong with them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

from pipelines.diagnostics import Path, Severity
from pipelines.diagnostics.sentences import shortened, suggestion
from pipelines.grammar.functions import FUNCTIONS
from pipelines.grammar.numbers import read_number, read_whole
from pipelines.json_types import Json
from pipelines.steptypes.shapes.model import Shape, ShapeProblem

# Longer texts are only measured: no pattern of the service says more about them.
_PATTERN_TEXT_MAX: Final = 4096

WANTED: Final[Mapping[str, str]] = {
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


def check_scalar(path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
    """Yield the problems of a value that is no structure, list or map."""
    if isinstance(value, float) and not math.isfinite(value):
        return  # JSON has no such number: it is refused wherever it stands
    match shape.type:
        case "string" | "blob":
            yield from check_string(path, value, shape)
        case "boolean":
            if not isinstance(value, bool):
                yield wrong_type(path, value, shape)
        case "timestamp":
            if not isinstance(value, str | int | float) or isinstance(value, bool):
                yield wrong_type(path, value, shape)
        case _:
            yield from _number(path, value, shape)


def check_string(path: Path, value: Json, shape: Shape) -> Iterator[ShapeProblem]:
    """Yield the problems of a text: its values, its length, its pattern."""
    if not isinstance(value, str):
        yield wrong_type(path, value, shape)
        return
    if shape.enum:
        if value not in shape.enum:
            yield ShapeProblem(
                path,
                "not-in-enum",
                f"`{shortened(value)}` is not a value of `{label(path, shape)}`",
                suggestion(value, shape.enum),
                severity=_severity(value),
            )
        return
    lengths = list(check_count(path, len(value), shape, "characters"))
    for problem in lengths:
        yield replace(problem, severity=_text_severity(value, shape))
    if shape.pattern is None or lengths or len(value) > _PATTERN_TEXT_MAX:
        return
    if re.fullmatch(shape.pattern, value) is None:
        yield _bad_pattern(path, value, shape)


def _bad_pattern(path: Path, value: str, shape: Shape) -> ShapeProblem:
    place = label(path, shape)
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
        f"`{shortened(value)}` is not a valid `{place}`",
        _form(shape.pattern or ""),
        severity=_text_severity(value, shape),
    )


_NAMES: Final = re.compile(
    r"(?:.*\\/\)\?\()?\[a-zA-Z0-9\]\((?:-\*\[a-zA-Z0-9\]|\[a-zA-Z0-9-\])\)\{0,(\d+)\}(?:\)\(\?<!-\))?"
)
"""The patterns of most names: hyphens stand between letters and digits, an ARN may stand before."""

_FORMS: Final = {
    r"arn:aws[a-z\-]*:iam::\d{12}:role/?[a-zA-Z_0-9+=,.@\-_/]+": (
        "write the ARN of a role, such as arn:aws:iam::111122223333:role/churn"
    ),
    "(https|s3)://([^/]+)/?(.*)": "write s3://BUCKET/PREFIX",
}


def _form(pattern: str) -> str:
    """Say what a pattern asks for: in words where it is that of names."""
    names = _NAMES.fullmatch(pattern)
    if names is not None:
        return f"letters, digits and hyphens between them, at most {int(names[1]) + 1}"
    return _FORMS.get(pattern, f"it has to match {pattern}")


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
    number = _whole(value) if shape.type in _BITS else _as_number(value)
    if number is None:
        yield wrong_type(path, value, shape)
        return
    low, high = _range(shape)
    if (low is not None and number < low) or (high is not None and number > high):
        yield ShapeProblem(
            path,
            "range",
            f"`{label(path, shape)}` is {value}, but has to be {_between(low, high)}",
        )


_BITS: Final[Mapping[str, int]] = {"integer": 32, "long": 64}


def _range(shape: Shape) -> tuple[float | None, float | None]:
    """Return what a number may be: as the model says, and what the type holds."""
    if shape.type not in _BITS:
        return shape.min, shape.max
    most = 2 ** (_BITS[shape.type] - 1) - 1
    low = -most - 1 if shape.min is None else shape.min
    return low, most if shape.max is None else min(shape.max, most)


def _as_number(value: Json) -> float | None:
    """Return a number, also out of a text: the service reads both (real definitions hold both)."""
    match value:
        case bool():
            return None
        case int() | float():
            return value
        case str():
            return read_number(value)
        case _:
            return None


def _whole(value: Json) -> int | None:
    """Return a whole number, also out of a text; `2.0` is one, `"2.0"` is not."""
    if isinstance(value, str):
        return read_whole(value)
    number = _as_number(value)
    return None if number is None or number % 1 else int(number)


def check_count(path: Path, count: int, shape: Shape, what: str) -> Iterator[ShapeProblem]:
    """Yield where a number of characters or entries is out of bounds."""
    low, high = shape.min, shape.max
    if (low is not None and count < low) or (high is not None and count > high):
        yield ShapeProblem(
            path,
            "length",
            f"`{label(path, shape)}` has {count} {what}, but has to have {_between(low, high)}",
        )


def _between(low: float | None, high: float | None) -> str:
    if low is None:
        return f"at most {high}"
    if high is None:
        return f"at least {low}"
    return f"{low} to {high}"


def wrong_type(path: Path, value: Json, shape: Shape) -> ShapeProblem:
    """Return the problem of a value of another type than its shape has."""
    problem = f"`{label(path, shape)}` has to be {WANTED[shape.type]}, not {_described(value)}"
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
            return f"the string `{shortened(value)}`"
        case _:
            return f"the number {value}"


def label(path: Path, shape: Shape) -> str:
    """Return what to call a place: its key, or its shape's name at the top."""
    for part in reversed(path):
        if isinstance(part, str):
            return part
    return shape.name
