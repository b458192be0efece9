"""Checks the arguments of Condition and ForEach steps, which hold conditions and steps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.model import (
    BODY,
    BRANCHES,
    Entry,
    error,
    error_on_key,
    warning,
)
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.grammar.functions import is_function
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType

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

_ARGUMENTS: Final = ("Conditions", *BRANCHES)
_DEEPEST: Final = 50


def check_nesting(entry: Entry) -> Iterator[Finding]:
    """Yield what is wrong with the conditions and the steps inside a step."""
    if entry.known is None:
        return
    if entry.known.branches:
        yield from _check_condition_step(entry)
    elif entry.known.repeats:
        yield from _check_for_each_step(entry)
    yield from _check_place(entry, entry.known)


def _check_place(entry: Entry, step_type: StepType) -> Iterator[Finding]:
    if not entry.within:
        return
    inside = entry.within[-1]
    if inside.argument == BODY:
        if not step_type.in_body:
            yield error(
                "SP522",
                (*entry.path, "Type"),
                f"a {entry.type} step may not stand in the body of the ForEach `{inside.owner}`",
            )
    elif step_type.branches:
        yield warning(
            "SP513",
            (*entry.path, "Type"),
            f"`{entry.name}` is a Condition in a branch of `{inside.owner}`",
            "the guide says nested conditions are not supported; put both tests into one step",
        )


def _check_condition_step(entry: Entry) -> Iterator[Finding]:
    arguments, path = entry.arguments, (*entry.path, "Arguments")
    for key in arguments:
        if key not in _ARGUMENTS:
            yield error_on_key(
                "SP512",
                (*path, key),
                f"unknown key `{key}` in the arguments of a Condition step",
                suggestion(key, _ARGUMENTS),
            )
    if "Conditions" in arguments:
        yield from _check_conditions(arguments["Conditions"], (*path, "Conditions"), 0)
    else:
        yield error("SP512", path, "`Conditions` is missing in a Condition step")
    for branch in BRANCHES:
        yield from _check_step_list(arguments.get(branch), (*path, branch))


def _check_step_list(steps: Json, path: Path) -> Iterator[Finding]:
    if steps is None:
        return
    if not isinstance(steps, list):
        yield error("SP504", path, f"`{path[-1]}` has to be a list of steps")
        return
    for index, step in enumerate(steps):
        if not isinstance(step, dict):
            help_text = "write the whole step here, not its name" if isinstance(step, str) else None
            yield error("SP504", (*path, index), "a step has to be an object", help_text)


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
        plain = str(kind).removeprefix("Condition")
        yield error(
            "SP512",
            (*path, "Type") if "Type" in condition else path,
            f"`{kind}` is no type of a condition" if kind else "`Type` is missing in a condition",
            suggestion(plain, _MEMBERS),
        )
        return
    yield from _check_members(condition, members, path)
    if kind == "Or" and "Conditions" in condition:
        yield from _check_conditions(condition["Conditions"], (*path, "Conditions"), depth + 1)
    elif kind == "Not" and "Condition" in condition:
        yield from _check_condition(condition["Condition"], (*path, "Condition"), depth + 1)


def _check_members(
    condition: JsonObject, members: tuple[str, ...], path: Path
) -> Iterator[Finding]:
    kind = condition["Type"]
    for key in condition:
        if key not in ("Type", *members):
            yield error_on_key(
                "SP512",
                (*path, key),
                f"unknown key `{key}` in a condition of type `{kind}`",
                suggestion(key, members),
            )
    for member in members:
        if member not in condition:
            yield error("SP512", path, f"`{member}` is missing in a condition of type `{kind}`")
        elif member in (*_COMPARISON, "QueryValue"):
            yield from _check_operand(condition[member], (*path, member))
        elif member == "Values":
            yield from _check_values(condition[member], (*path, member))


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


def _check_for_each_step(entry: Entry) -> Iterator[Finding]:
    arguments, path = entry.arguments, (*entry.path, "Arguments")
    yield from _check_items(arguments.get("IterableItems"), (*path, "IterableItems"))
    yield from _check_step_list(arguments.get(BODY), (*path, BODY))
    selector = arguments.get("Selector")
    if isinstance(selector, dict) and "Field" in selector:
        body = arguments.get(BODY)
        steps = body if isinstance(body, list) else []
        bodies = [str(step.get("Name")) for step in steps if isinstance(step, dict)]
        yield from _check_selector_field(selector["Field"], bodies, (*path, "Selector", "Field"))


def _check_items(items: Json, path: Path) -> Iterator[Finding]:
    if items is None or is_function(items):
        return
    if not isinstance(items, list):
        yield error(
            "SP522", path, "`IterableItems` has to be a list, or a function that gives one as JSON"
        )
        return
    if not 1 <= len(items) <= _MOST_ITEMS:
        message = f"`IterableItems` has {len(items)} entries, but may have 1 to {_MOST_ITEMS}"
        yield error("SP522", path, message)
    for index, item in enumerate(items):
        if not isinstance(item, str | int | float) and not is_function(item):
            message = "an item has to be a string, number, true, false or a function"
            yield error("SP522", (*path, index), message)


_MOST_ITEMS: Final = 100


def _check_selector_field(field: Json, bodies: list[str], path: Path) -> Iterator[Finding]:
    target = field.get("Get") if isinstance(field, dict) else None
    if not isinstance(target, str) or not target.startswith("IterationOutput."):
        yield error(
            "SP522",
            path,
            "`Field` has to read an output of the body",
            'write {"Get": "IterationOutput.<body step>.<member>"}',
        )
        return
    body = target.removeprefix("IterationOutput.").partition(".")[0].partition("[")[0]
    if body not in bodies:
        message = f"the body has no step `{body}`"
        yield error("SP522", path, message, suggestion(body, bodies))
