"""Checks the form of conditions, and of the lists of steps beside them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import Keys, error
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import in_words, suggestion
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json, JsonObject

_COMPARISON: Final = ("LeftValue", "RightValue")
_MEMBERS: Final = {
    "Equals": _COMPARISON,
    "GreaterThan": _COMPARISON,
    "GreaterThanOrEqualTo": _COMPARISON,
    "LessThan": _COMPARISON,
    "LessThanOrEqualTo": _COMPARISON,
    "In": ("QueryValue", "Values"),
    "Not": ("Condition",),
    "Or": ("Conditions",),
}
"""Each condition's members beside `Type` (SDK core/workflow/conditions.py)."""

_DEEPEST: Final = 50


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with the arguments of steps that decide between branches."""
    for step in definition.steps:
        if step.known is not None and step.known.branches:
            yield from _check_arguments(step)
        for nested in step.holds:
            steps = step.arguments.get(nested.argument)
            if not isinstance(steps, list | None):
                path = (*step.path, "Arguments", nested.argument)
                yield error("SP504", path, f"`{nested.argument}` has to be a list of steps")


def _check_arguments(step: Step) -> Iterator[Finding]:
    arguments, path = step.whole.get("Arguments"), (*step.path, "Arguments")
    if not isinstance(arguments, dict):
        return
    known = ("Conditions", *(nested.argument for nested in step.holds))
    keys = Keys("SP512", f"the arguments of a {step.type} step", known, ("Conditions",))
    yield from keys.check(arguments, path)
    if "Conditions" in arguments:
        yield from _check_conditions(arguments["Conditions"], (*path, "Conditions"), 0)


def _check_conditions(conditions: Json, path: Path, depth: int) -> Iterator[Finding]:
    if not isinstance(conditions, list) or not conditions:
        yield error("SP512", path, f"`{path[-1]}` has to be a list of at least one condition")
        return
    for index, condition in enumerate(conditions):
        yield from _check_condition(condition, (*path, index), depth)


def _check_condition(condition: Json, path: Path, depth: int) -> Iterator[Finding]:
    if not isinstance(condition, dict):
        yield error("SP512", path, "a condition has to be an object")
        return
    if depth > _DEEPEST:
        yield error("SP512", path, f"conditions are nested deeper than {_DEEPEST}")
        return
    kind = condition.get("Type")
    members = _MEMBERS.get(kind) if isinstance(kind, str) else None
    if members is None:
        yield from _check_type(condition, path)
        return
    keys = Keys("SP512", f"a condition of type `{kind}`", ("Type", *members), members)
    yield from keys.check(condition, path)
    for member in members:
        if member in condition:
            yield from _check_member(condition[member], (*path, member), depth)


def _check_type(condition: JsonObject, path: Path) -> Iterator[Finding]:
    """Yield the Type that is none; a misspelt key where the Type is missing for it."""
    if "Type" in condition:
        kind = condition["Type"]
        word = kind.removeprefix("Condition") if isinstance(kind, str) else ""
        message = f"{in_words(kind)} is not a condition type"
        yield error("SP512", (*path, "Type"), message, suggestion(word, _MEMBERS))
        return
    known = dict.fromkeys(member for members in _MEMBERS.values() for member in members)
    keys = Keys("SP512", "a condition", ("Type", *known), ("Type",))
    yield from keys.check(condition, path)


def _check_member(value: Json, path: Path, depth: int) -> Iterator[Finding]:
    match path[-1]:
        case "Conditions":
            yield from _check_conditions(value, path, depth + 1)
        case "Condition":
            yield from _check_condition(value, path, depth + 1)
        case "Values":
            yield from _check_values(value, path)
        case _:
            yield from _check_operand(value, path)


def _check_values(values: Json, path: Path) -> Iterator[Finding]:
    if not isinstance(values, list) or not values:
        yield error("SP512", path, "`Values` has to be a list of at least one value")
        return
    for index, value in enumerate(values):
        yield from _check_operand(value, (*path, index))


def _check_operand(value: Json, path: Path) -> Iterator[Finding]:
    if isinstance(value, str | int | float) or is_function(value):
        return
    yield error(
        "SP512", path, "a value to compare has to be a string, number, true, false or a function"
    )
