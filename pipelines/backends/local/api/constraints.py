"""What the service says of a request that breaks its model: one ValidationException for all of it.

The wording is the service's own, of its Coral framework: "1 validation error detected: Value 'x'
at 'modelName' failed to satisfy constraint: Member must …".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from pipelines.json_types import Json

_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{M}": "\u0300-\u036f",
    r"\p{N}": r"\d",
    r"\p{Z}": r"\s",
    r"\p{S}": "$+<=>^`|~\u00a1-\uffff",
    r"\p{P}": r"!-#%-*,-/:;?@\[-\]_{}" + "\u00a1-\uffff",
    r"\p{Alnum}": "a-zA-Z0-9",
    r"\p{ASCII}": r"\x00-\x7f",
    r"\p{Print}": r"\x20-\x7e",
    r"\z": r"\Z",
}
"""Java's classes in Python's words; where Python has none, rather too wide."""


def refusal(shape: Json, value: Json) -> str | None:
    """Return the message that the service answers, None where the value fits.

    Args:
        shape: the operation's input shape, of botocore.model.
        value: the request, its types already right (`values.parse`).
    """
    found = list(_violations(shape, value, ""))
    if not found:
        return None
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: {'; '.join(found)}"


def _violations(shape: Json, value: Json, at: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _of_structure(shape, value, at)
        case "list":
            yield from _of_length(shape, value, at)
            for index, item in enumerate(value, start=1):
                yield from _violations(shape.member, item, f"{at}.{index}.member")
        case "map":
            yield from _of_length(shape, value, at)
            for key, item in value.items():
                yield from _violations(shape.value, item, f"{at}.{key}.member")
        case _:
            yield from _of_scalar(shape, value, at)


def _of_scalar(shape: Json, value: Json, at: str) -> Iterator[str]:
    match shape.type_name:
        case "string":
            yield from _of_length(shape, value, at)
            yield from _of_text(shape, value, at)
        case "blob":
            yield from _of_length(shape, value, at)
        case "integer" | "long" | "float" | "double":
            yield from _of_range(shape, value, at)
        case _:
            pass  # booleans and times have no constraints


def _of_structure(shape: Json, value: Json, at: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield _said(None, _below(at, name), "Member must not be null")
    for name, item in value.items():
        yield from _violations(shape.members[name], item, _below(at, name))


def _of_length(shape: Json, value: Json, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    shown = "…" if shape.metadata.get("sensitive") or shape.type_name == "blob" else value
    if low is not None and len(value) < low:
        yield _said(shown, at, f"Member must have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        yield _said(shown, at, f"Member must have length less than or equal to {high}")


def _of_text(shape: Json, value: str, at: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        choices = ", ".join(shape.enum)
        yield _said(value, at, f"Member must satisfy enum value set: [{choices}]")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and compiled.fullmatch(value) is None:
        yield _said(value, at, f"Member must satisfy regular expression pattern: {pattern}")


def _of_range(shape: Json, value: float, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _said(value, at, f"Member must have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _said(value, at, f"Member must have value less than or equal to {high}")


def _said(value: Json, at: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{value}'"
    return f"Value {shown} at '{at}' failed to satisfy constraint: {constraint}"


def _below(at: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{at}.{member}" if at else member


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern of the model; None where it says nothing to Python."""
    outside = re.sub(r"\[(?:\\.|[^\]])*\]|(\\p\{\w+\})", _bracketed, pattern)
    for java, python in _CLASSES.items():
        outside = outside.replace(java, python)
    try:
        return re.compile(outside)
    except re.error:
        return None


def _bracketed(found: re.Match[str]) -> str:
    """Put brackets around a class that stands outside of any: Python's words for it are ranges."""
    return f"[{found[1]}]" if found[1] else found[0]
