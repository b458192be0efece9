"""The conditions of Search: filters on properties, joined by And and Or."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from datetime import UTC, datetime

from pipelines.json_types import Json, JsonObject

_ORDERS: dict[str, Callable[[Json, Json], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
_METRICS = ("Metrics", "FinalMetricDataList", "MetricName", "Value")
_TAGS = ("Tags", "Tags", "Key", "Value")


def matches(expression: JsonObject, found: JsonObject) -> bool:
    """Return whether a resource satisfies a SearchExpression; an empty one all do."""
    results = [
        *(_satisfies(one, found) for one in expression.get("Filters") or []),
        *(_has_entry(one, found) for one in expression.get("NestedFilters") or []),
        *(matches(one, found) for one in expression.get("SubExpressions") or []),
    ]
    joined = any if expression.get("Operator") == "Or" else all
    return not results or joined(results)


def values_of(found: Json, path: str) -> list[Json]:
    """Return the values at a property's path: several where lists stand on it.

    `Metrics.<name>` and `Tags.<key>` name entries; a key of a map may hold dots.
    """
    for prefix, member, name, value in (_METRICS, _TAGS):
        if path.startswith(f"{prefix}.") and isinstance(found, dict):
            wanted = path.removeprefix(f"{prefix}.")
            return [one[value] for one in found.get(member) or [] if one[name] == wanted]
    if isinstance(found, list):
        return [value for one in found for value in values_of(one, path)]
    if not isinstance(found, dict):
        return []
    if path in found:
        value = found[path]
        return value if isinstance(value, list) else [value]
    head, _, rest = path.partition(".")
    return values_of(found[head], rest) if rest and head in found else []


def _has_entry(nested: JsonObject, found: JsonObject) -> bool:
    """Return whether one entry of a list satisfies all filters, whose names begin with its path."""
    path = nested["NestedPropertyName"]
    filters = [
        {**one, "Name": str(one["Name"]).removeprefix(f"{path}.")} for one in nested["Filters"]
    ]
    return any(
        isinstance(entry, dict) and all(_satisfies(one, entry) for one in filters)
        for entry in values_of(found, path)
    )


def _satisfies(condition: JsonObject, found: JsonObject) -> bool:
    values = values_of(found, str(condition["Name"]))
    wanted = str(condition.get("Value") or "")
    match str(condition.get("Operator") or "Equals"):
        case "Exists":
            return bool(values)
        case "NotExists":
            return not values
        case "NotEquals":
            return not any(_equals(value, wanted) for value in values)
        case name:
            return any(_is(value, name, wanted) for value in values)


def _is(value: Json, name: str, wanted: str) -> bool:
    match name:
        case "Equals":
            return _equals(value, wanted)
        case "In":
            return any(_equals(value, one.strip()) for one in wanted.split(","))
        case "Contains":
            return wanted in str(value)
        case _:
            return _compares(value, wanted, _ORDERS[name])


def _equals(value: Json, wanted: str) -> bool:
    if isinstance(value, bool):
        return str(value).lower() == wanted.lower()
    return str(value) == wanted or _compares(value, wanted, operator.eq)


def _compares(value: Json, wanted: str, order: Callable[[Json, Json], bool]) -> bool:
    """Compare times and numbers as such, and whatever else as texts but for equality."""
    if isinstance(value, datetime):
        moment = _moment(wanted)
        return moment is not None and order(value, moment)
    one, other = number_of(value), number_of(wanted)
    if one is not None and other is not None:
        return order(one, other)
    return order is not operator.eq and isinstance(value, str) and order(value, wanted)


def number_of(value: Json) -> float | None:
    """Return a value, or the text of one, as a finite number; None where it is none."""
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is not None and math.isfinite(number) else None


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
