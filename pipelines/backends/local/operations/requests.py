"""What the List operations do with their requests: filter, sort and page."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Generic, Literal, Protocol, TypeAlias, TypeVar

from pipelines.backends.local.errors import invalid
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject


class NamedResource(Protocol):
    """A resource with a name and a creation time."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def created(self) -> float:
        """When it was created, in seconds since 1970."""


Row = TypeVar("Row")
NamedRow = TypeVar("NamedRow", bound=NamedResource)
SortOrder: TypeAlias = Literal["Ascending", "Descending"]

_PAGE = 100


def moment(seconds: float) -> datetime:
    """Convert seconds since 1970 to the datetime that boto3 would return."""
    return datetime.fromtimestamp(seconds, UTC)


def seconds_of(value: Json) -> float:
    """Convert a timestamp of a request (datetime, or seconds since 1970) to seconds."""
    return value.timestamp() if isinstance(value, datetime) else float(value)


@dataclass(frozen=True)  # no slots: Python 3.11 cannot set them on a subscripted generic
class SortKey(Generic[Row]):
    """How a list is sorted.

    Args:
        key: the sort key of a row: a list of JSON values that is unique among the rows.
        default: the order if the request names none.
    """

    key: Callable[[Row], Sequence[str | float]]
    default: SortOrder = "Ascending"


@frozen
class PageRequest:
    """Which page of a list a request asks for.

    The token holds the key of the last row returned, so rows that are added or removed between
    two pages neither repeat nor hide others.

    Args:
        descending: the order.
        size: how many rows at most.
        last: the key of the last row of the page before; None for the first page.
    """

    descending: bool
    size: int
    last: tuple[str | float, ...] | None

    @classmethod
    def of(
        cls, request: JsonObject, default: SortOrder, example: Sequence[str | float]
    ) -> PageRequest:
        """Read it out of a request; `example` is a key of the rows, or empty."""
        descending = request.get("SortOrder", default) == "Descending"
        size = int(request.get("MaxResults") or _PAGE)
        token = request.get("NextToken")
        return cls(descending, size, _read_token(str(token), example) if token else None)

    def cut(
        self, rows: list[Row], key: Callable[[Row], Sequence[str | float]]
    ) -> tuple[list[Row], JsonObject]:
        """Cut rows, of which there may be one too many; with the NextToken if there are more."""
        if len(rows) <= self.size:
            return rows, {}
        return rows[: self.size], {"NextToken": _token(key(rows[self.size - 1]))}


def page(rows: list[Row], order: SortKey[Row], request: JsonObject) -> tuple[list[Row], JsonObject]:
    """Sort rows and return the page that a request asks for.

    Returns:
        The rows, and `{"NextToken": …}` if there are more.
    """
    asked = PageRequest.of(request, order.default, order.key(rows[0]) if rows else ())
    rows = sorted(rows, key=lambda row: tuple(order.key(row)), reverse=asked.descending)
    last = asked.last
    if last is not None:
        rows = [row for row in rows if _is_after(tuple(order.key(row)), last, asked.descending)]
    return asked.cut(rows, order.key)


def page_named(
    rows: list[NamedRow],
    request: JsonObject,
    default: SortOrder,
) -> tuple[list[NamedRow], JsonObject]:
    """Return the page of named resources that a list request asks for.

    Args:
        rows: the resources.
        request: the members of a list operation.
        default: the order if the request names none.

    Returns:
        The rows, and `{"NextToken": …}` if there are more.
    """
    found = [
        row
        for row in rows
        if str(request.get("NameContains", "")) in row.name
        and within(row.created, request, "CreationTimeAfter", "CreationTimeBefore")
    ]
    by_name = request.get("SortBy") == "Name"
    order = SortKey[NamedRow](
        lambda row: (row.name,) if by_name else (row.created, row.name), default
    )
    return page(found, order, request)


def _is_after(
    key: tuple[str | float, ...],
    last: tuple[str | float, ...],
    descending: bool,  # noqa: FBT001 - the order as requested
) -> bool:
    return key < last if descending else key > last


def _token(key: Sequence[str | float]) -> str:
    return base64.urlsafe_b64encode(json.dumps(list(key)).encode()).decode()


def _read_token(token: str, example: Sequence[str | float]) -> tuple[str | float, ...]:
    """Read the key in a token, which must be of the same form as a row's."""
    try:
        key = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or (example and _form(key) != _form(example)):
        raise invalid(f"`{token}` is not a NextToken of this operation in this order")
    return tuple(key)


def _form(key: Sequence[Json]) -> list[str]:
    """Return which parts of a key are texts, numbers, or neither and comparable with nothing."""
    kinds = {str: "text", int: "number", float: "number"}
    return [kinds.get(type(part), "neither") for part in key]


def within(created: float, request: JsonObject, after: str, before: str) -> bool:
    """Return whether a time lies between two optional bounds of a request."""
    lower, upper = bounds(request, after, before)
    return (lower is None or created > lower) and (upper is None or created < upper)


def bounds(request: JsonObject, after: str, before: str) -> tuple[float | None, float | None]:
    """Return the two optional bounds of a request in seconds since 1970."""
    lower, upper = (request.get(member) for member in (after, before))
    return (
        None if lower is None else seconds_of(lower),
        None if upper is None else seconds_of(upper),
    )


def all_but(request: JsonObject, *members: str) -> JsonObject:
    """Return the members of a request but those named: what a Describe response repeats."""
    return {name: value for name, value in request.items() if name not in members}


def given(request: JsonObject, members: Collection[str]) -> JsonObject:
    """Return the members that a request gives a value."""
    return {
        member: value
        for member, value in request.items()
        if member in members and value is not None
    }
