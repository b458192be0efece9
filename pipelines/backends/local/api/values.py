"""JSON of the wire ↔ the values that boto3's callers see, along a shape of botocore's model."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from pipelines.json_types import Json, JsonObject

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


class SerializationError(Exception):
    """A value of a request is not of its shape's type, or no member of its shape."""


def parse(shape: Json, value: Json, at: str = "") -> Json:
    """Turn the JSON of a request into boto3's values; members that are null are left out.

    Args:
        shape: the input shape, of botocore.model.
        value: what was sent.
        at: where it stands, for messages.

    Raises:
        SerializationError: a value of another type, or an unknown member.
    """
    kind = shape.type_name
    if not _is_of(kind, value):
        article = "an" if kind[0] in "aeiou" else "a"
        raise SerializationError(f"`{at or 'the request'}` is {_word(value)}, not {article} {kind}")
    match kind:
        case "structure":
            return _members(shape, value, at)
        case "list":
            return [parse(shape.member, item, f"{at}.{i}") for i, item in enumerate(value, 1)]
        case "map":
            return {key: parse(shape.value, item, f"{at}.{key}") for key, item in value.items()}
        case "timestamp":
            return _moment(value, at)
        case "blob":
            return _bytes(value, at)
        case _:
            return value


def serialize(shape: Json, value: Json, stray: list[str], at: str = "") -> Json:
    """Turn the values of a response into JSON: times as seconds since 1970, blobs as base64.

    Args:
        shape: the output shape, of botocore.model.
        value: the response.
        stray: where members go that the shape does not have; they are left out.
        at: where the value stands.
    """
    match shape.type_name:
        case "structure":
            return _known(shape, value, stray, at)
        case "list":
            return [serialize(shape.member, item, stray, f"{at}[]") for item in value]
        case "map":
            return {
                key: serialize(shape.value, item, stray, f"{at}.{key}")
                for key, item in value.items()
            }
        case "timestamp":
            return _seconds(value)
        case "blob":
            return base64.b64encode(value).decode("ascii")
        case _:
            return value


def _is_of(kind: str, value: Json) -> bool:
    return isinstance(value, _KINDS[kind]) and (kind == "boolean" or not isinstance(value, bool))


def _members(shape: Json, value: JsonObject, at: str) -> JsonObject:
    known = shape.members
    for name in value:
        if name not in known:
            raise SerializationError(f"there is no member `{f'{at}.{name}' if at else name}`")
    return {
        name: parse(known[name], item, f"{at}.{name}" if at else name)
        for name, item in value.items()
        if item is not None
    }


def _known(shape: Json, value: JsonObject, stray: list[str], at: str) -> JsonObject:
    answer = {}
    for name, item in value.items():
        if name not in shape.members:
            stray.append(f"{at}.{name}")
        elif item is not None:
            answer[name] = serialize(shape.members[name], item, stray, f"{at}.{name}")
    return answer


def _moment(value: Json, at: str) -> datetime:
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise SerializationError(f"`{at}` is no time: {value}") from None


def _seconds(value: Json) -> float:
    """Read a time as the state keeps it: a datetime, its ISO text, or seconds since 1970."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return round(value.timestamp() if isinstance(value, datetime) else float(value), 3)


def _bytes(value: str, at: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error:
        raise SerializationError(f"`{at}` is no base64") from None


def _word(value: Json) -> str:
    words = {dict: "a structure", list: "a list", str: "a string", bool: "a boolean"}
    return "null" if value is None else words.get(type(value), "a number")
