"""JSON of the wire ↔ the values that boto3's callers see: times as datetimes, blobs as bytes.

What a request may hold is checked afterwards, by the operation (`operations/checking.py`).
"""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime

from pipelines.backends.local.errors import ServiceError
from pipelines.json_types import Json
from pipelines.steptypes.shapes import Shape, ShapeTable


def from_json(value: Json, shape: Shape, shapes: ShapeTable, at: str = "") -> Json:
    """Convert the times and blobs of a request; members that are null are removed.

    Args:
        value: what was sent.
        shape: what it should look like; where it does not, the value stays as it is.
        shapes: where the shapes that `shape` mentions are found.
        at: its path, for messages.

    Raises:
        ServiceError: SerializationException, for a text that is not a time or a blob.
    """
    match shape.type, value:
        case "structure", dict():
            return {
                name: from_json(item, shapes.get(shape.members[name]), shapes, f"{at}.{name}")
                if name in shape.members
                else item
                for name, item in value.items()
                if item is not None
            }
        case "list", list():
            element = shapes.get(shape.element or "")
            return [
                from_json(item, element, shapes, f"{at}.{i}") for i, item in enumerate(value, 1)
            ]
        case "map", dict():
            inner = shapes.get(shape.value or "")
            return {
                key: from_json(item, inner, shapes, f"{at}.{key}") for key, item in value.items()
            }
        case "timestamp", str() | int() | float():
            return value if isinstance(value, bool) else _moment(value, at)
        case "blob", str():
            return _bytes(value, at)
        case _:
            return value


def to_json(
    value: Json, shape: Shape, shapes: ShapeTable, unknown: list[str], at: str = ""
) -> Json:
    """Convert the values of a response to JSON: times as seconds since 1970, blobs as base64.

    Args:
        value: the response.
        shape: what it should look like.
        shapes: where the shapes that `shape` mentions are found.
        unknown: receives the paths of members that the shape does not have; they are removed.
        at: the path of the value.
    """
    match shape.type:
        case "structure":
            there = {name: item for name, item in value.items() if item is not None}
            unknown.extend(f"{at}.{name}" for name in there if name not in shape.members)
            return {
                name: to_json(
                    item, shapes.get(shape.members[name]), shapes, unknown, f"{at}.{name}"
                )
                for name, item in there.items()
                if name in shape.members
            }
        case "list":
            inner = shapes.get(shape.element or "")
            return [to_json(item, inner, shapes, unknown, f"{at}[]") for item in value]
        case "map":
            inner = shapes.get(shape.value or "")
            return {
                key: to_json(item, inner, shapes, unknown, f"{at}.{key}")
                for key, item in value.items()
            }
        case "timestamp":
            return _seconds(value)
        case "blob":
            return base64.b64encode(value).decode("ascii")
        case _:
            return value


def _moment(value: str | float, at: str) -> datetime:
    try:
        if isinstance(value, str):
            read = datetime.fromisoformat(value)
            return read if read.tzinfo else read.replace(tzinfo=UTC)
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        raise _unreadable(at, f"is not a time: {str(value)[:100]}") from None


def _seconds(value: Json) -> float:
    """Read a time as the state keeps it: a datetime, its ISO text, or seconds since 1970."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    return round(value.timestamp() if isinstance(value, datetime) else float(value), 3)


def _bytes(value: str, at: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise _unreadable(at, "is not valid base64") from None


def _unreadable(at: str, problem: str) -> ServiceError:
    return ServiceError("SerializationException", f"`{at.removeprefix('.')}` {problem}")
