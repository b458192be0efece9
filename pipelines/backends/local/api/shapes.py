"""Requests and responses along botocore's model of a service: typed, checked, written as JSON.

`parse_request` turns the JSON of a request into the values that boto3's callers see, `violations`
checks them as the service does, and `serialize` turns the values of a response into JSON.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from pipelines.grammar.numbers import as_float
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from botocore.model import ServiceModel

_KINDS: dict[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),
    "timestamp": (int, float, str),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}
_BITS = {"integer": 32, "long": 64}
_MOST_REPORTED = 10
_MOST_SHOWN = 1024
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
"""Java's character classes in Python's syntax; wider where Python has no equivalent."""


class SerializationError(Exception):
    """A value of a request is not of its shape's type, or not a member of its shape."""


def parse_request(shape: Json, value: Json, at: str = "") -> Json:
    """Convert the JSON of a request to boto3's values; members that are null are removed.

    Args:
        shape: the input shape, of botocore.model.
        value: what was sent.
        at: its path, for messages.

    Raises:
        SerializationError: a value of another type, or an unknown member.
    """
    kind = shape.type_name
    if not _is_of(kind, value):
        article = "an" if kind[0] in "aeiou" else "a"
        raise SerializationError(
            f"`{at or 'the request'}` is {_type_of(value)}, not {article} {kind}"
        )
    match kind:
        case "structure":
            return _members(shape, value, at)
        case "list":
            return [
                parse_request(shape.member, item, f"{at}.{i}") for i, item in enumerate(value, 1)
            ]
        case "map":
            return {
                key: parse_request(shape.value, item, f"{at}.{key}") for key, item in value.items()
            }
        case "timestamp":
            return _moment(value, at)
        case "blob":
            return _bytes(value, at)
        case _:
            return value


def serialize(shape: Json, value: Json, unknown: list[str], at: str = "") -> Json:
    """Convert the values of a response to JSON: times as seconds since 1970, blobs as base64.

    Args:
        shape: the output shape, of botocore.model.
        value: the response.
        unknown: receives the paths of members that the shape does not have; they are removed.
        at: the path of the value.
    """
    match shape.type_name:
        case "structure":
            return _known(shape, value, unknown, at)
        case "list":
            return [serialize(shape.member, item, unknown, f"{at}[]") for item in value]
        case "map":
            return {
                key: serialize(shape.value, item, unknown, f"{at}.{key}")
                for key, item in value.items()
            }
        case "timestamp":
            return _seconds(value)
        case "blob":
            return base64.b64encode(value).decode("ascii")
        case _:
            return value


def _is_of(kind: str, value: Json) -> bool:
    if not isinstance(value, _KINDS[kind]) or isinstance(value, bool) != (kind == "boolean"):
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


def _members(shape: Json, value: JsonObject, at: str) -> JsonObject:
    known = shape.members
    for name in value:
        if name not in known:
            raise SerializationError(f"there is no member `{f'{at}.{name}' if at else name}`")
    return {
        name: parse_request(known[name], item, f"{at}.{name}" if at else name)
        for name, item in value.items()
        if item is not None
    }


def _known(shape: Json, value: JsonObject, unknown: list[str], at: str) -> JsonObject:
    content = {}
    for name, item in value.items():
        if name not in shape.members:
            unknown.append(f"{at}.{name}")
        elif item is not None:
            content[name] = serialize(shape.members[name], item, unknown, f"{at}.{name}")
    return content


def _moment(value: Json, at: str) -> datetime:
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise SerializationError(f"`{at}` is not a time: {value}") from None


def _seconds(value: Json) -> float:
    """Read a time as the state keeps it: a datetime, its ISO text, or seconds since 1970."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return round(value.timestamp() if isinstance(value, datetime) else float(value), 3)


def _bytes(value: str, at: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise SerializationError(f"`{at}` is not valid base64") from None


def _type_of(value: Json) -> str:
    words = {dict: "a structure", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else words.get(type(value), "a number")


def violations(shape: Json, value: Json) -> str | None:
    """Return the service's message for a request that breaks its model; None if it fits.

    The wording is the service's own, of its Coral framework: "1 validation error detected: Value
    'x' at 'modelName' failed to satisfy constraint: Member must …".

    Args:
        shape: the operation's input shape, of botocore.model.
        value: the request, from `parse_request`.
    """
    found = list(_found(shape, value, ""))
    if not found:
        return None
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: {'; '.join(found[:_MOST_REPORTED])}"


def _found(shape: Json, value: Json, at: str) -> Iterator[str]:
    match shape.type_name:
        case "structure":
            yield from _of_structure(shape, value, at)
        case "list":
            yield from _of_length(shape, value, at)
            for index, item in enumerate(value, start=1):
                yield from _found(shape.member, item, f"{at}.{index}.member")
        case "map":
            yield from _of_length(shape, value, at)
            for key, item in value.items():
                yield from _found(shape.value, item, f"{at}.{key}.member")
        case _:
            yield from _of_scalar(shape, value, at)


def _of_scalar(shape: Json, value: Json, at: str) -> Iterator[str]:
    match shape.type_name:
        case "string":
            wrong = list(_of_length(shape, value, at))
            yield from wrong or _of_text(shape, value, at)
        case "blob":
            yield from _of_length(shape, value, at)
        case "integer" | "long" | "float" | "double":
            yield from _of_range(shape, value, at)
        case _:
            pass  # booleans and times have no constraints


def _of_structure(shape: Json, value: Json, at: str) -> Iterator[str]:
    for name in shape.required_members:
        if name not in value:
            yield _violation(None, _below(at, name), "Member must not be null")
    for name, item in value.items():
        yield from _found(shape.members[name], item, _below(at, name))


def _of_length(shape: Json, value: Json, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    shown = "…" if shape.metadata.get("sensitive") or shape.type_name == "blob" else value
    if low is not None and len(value) < low:
        yield _violation(shown, at, f"Member must have length greater than or equal to {low}")
    if high is not None and len(value) > high:
        yield _violation(shown, at, f"Member must have length less than or equal to {high}")


def _of_text(shape: Json, value: str, at: str) -> Iterator[str]:
    if shape.enum and value not in shape.enum:
        choices = ", ".join(shape.enum)
        yield _violation(value, at, f"Member must satisfy enum value set: [{choices}]")
    pattern = shape.metadata.get("pattern")
    compiled = _compiled(pattern) if pattern else None
    if compiled is not None and compiled.fullmatch(value) is None:
        yield _violation(value, at, f"Member must satisfy regular expression pattern: {pattern}")


def _of_range(shape: Json, value: float, at: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        yield _violation(value, at, f"Member must have value greater than or equal to {low}")
    if high is not None and value > high:
        yield _violation(value, at, f"Member must have value less than or equal to {high}")


def _violation(value: Json, at: str, constraint: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:_MOST_SHOWN]}'"
    return f"Value {shown} at '{at}' failed to satisfy constraint: {constraint}"


def _below(at: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{at}.{member}" if at else member


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Compile a pattern of the model; None if Python cannot read it."""
    outside = re.sub(r"\[(?:\\.|[^\]])*\]|(\\p\{\w+\})", _bracketed, pattern)
    for java, python in _CLASSES.items():
        outside = outside.replace(java, python)
    try:
        return re.compile(outside)
    except re.error:
        return None


def _bracketed(found: re.Match[str]) -> str:
    """Put brackets around a class outside of any: in Python's syntax it is ranges."""
    return f"[{found[1]}]" if found[1] else found[0]


@cache
def service_model(service: str) -> ServiceModel:
    """Load the model of a service, named as boto3's clients are; read once."""
    from botocore import loaders, model  # noqa: PLC0415 - costs a tenth of a second

    description = loaders.Loader().load_service_model(service, "service-2")
    return model.ServiceModel(description, service)
