"""Warns of comparisons whose two sides are known to be of different types."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from pipelines.definition.findings import warning
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding, Path
from pipelines.grammar.functions import is_function, result_type
from pipelines.json_types import Json, JsonObject

_ORDERED: Final = ("GreaterThan", "GreaterThanOrEqualTo", "LessThan", "LessThanOrEqualTo")
_DEEPEST: Final = 50


def check(definition: Definition) -> Iterator[Finding]:
    """Yield comparisons that fail the step in a local run: the SDK's rules (FACTS 1.5).

    What the service does with them no source says, so they are warnings.
    """
    for step in definition.steps:
        if step.known is not None and step.known.branches:
            path = (*step.path, "Arguments", "Conditions")
            for condition, place in _conditions(step.arguments.get("Conditions"), path, 0):
                yield from _check_condition(condition, place, definition.parameters)


def _check_condition(
    condition: JsonObject, path: Path, parameters: Mapping[str, str]
) -> Iterator[Finding]:
    left = _type_of(condition.get("LeftValue"), parameters)
    right = _type_of(condition.get("RightValue"), parameters)
    kind = condition.get("Type")
    if left and right and not _compare(kind, {left, right}):
        message = f"{kind} compares {left} with {right}, which fails the step in a local run"
        yield warning("SP512", path, message, "give both sides one type")


def _conditions(value: Json, path: Path, depth: int) -> Iterator[tuple[JsonObject, Path]]:
    """Yield every condition of a list, those inside `Not` and `Or` too."""
    for index, condition in enumerate(value if isinstance(value, list) else []):
        if isinstance(condition, dict) and depth < _DEEPEST:
            place = (*path, index)
            yield condition, place
            yield from _conditions(condition.get("Conditions"), (*place, "Conditions"), depth + 1)
            negated = _conditions([condition.get("Condition")], (), depth + 1)
            for inner, (_, *below) in negated:
                yield inner, (*place, "Condition", *below)


def _type_of(value: Json, parameters: Mapping[str, str]) -> str | None:
    match value:
        case bool():
            return "Boolean"
        case int():
            return "Integer"
        case float():
            return "Float"
        case str():
            return "String"
        case dict() if is_function(value):
            return result_type(value, parameters)
        case _:
            return None


def _compare(kind: Json, types: set[str]) -> bool:
    if kind == "Equals":
        return len(types) == 1 or types == {"Boolean", "Integer"}
    return kind not in _ORDERED or len(types) == 1 or "String" not in types
