"""Checks steps that run other steps once per item: items, selector, and what refers to them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.findings import error
from pipelines.definition.gets import PlacedGet
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.grammar.functions import ITERATION, LOOP, is_function, target_of
from pipelines.json_types import Json

_MOST_ITEMS: Final = 100
_ITEM: Final = "CurrentItem"


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what is wrong with loops, and references to loops where there is none."""
    for step in definition.steps:
        if step.known is not None and step.known.repeats:
            yield from _check_loop(definition, step)
    for get, holder in definition.gets():
        yield from _check_get(get, holder)


def _check_loop(definition: Definition, step: Step) -> Iterator[Finding]:
    path = (*step.path, "Arguments")
    yield from _check_items(step.arguments.get("IterableItems"), (*path, "IterableItems"))
    selector = step.arguments.get("Selector")
    if isinstance(selector, dict) and "Field" in selector:
        bodies = [inner.name for inner in definition.inside(step)]
        yield from _check_field(selector["Field"], bodies, (*path, "Selector", "Field"))


def _check_items(items: Json, path: Path) -> Iterator[Finding]:
    if items is None or is_function(items):
        return
    if not isinstance(items, list):
        message = "`IterableItems` has to be a list, or a function that gives one as JSON"
        yield error("SP522", path, message)
        return
    if not 1 <= len(items) <= _MOST_ITEMS:
        message = f"`IterableItems` has {len(items)} entries, but may have 1 to {_MOST_ITEMS}"
        yield error("SP522", path, message)
    for index, item in enumerate(items):
        if not isinstance(item, str | int | float) and not is_function(item):
            message = "an item has to be a string, number, true, false or a function"
            yield error("SP522", (*path, index), message)


def _check_field(field: Json, bodies: list[str], path: Path) -> Iterator[Finding]:
    target = target_of(field)
    if target is None or target.root != ITERATION:
        yield error(
            "SP522",
            path,
            "`Field` has to read an output of the body",
            'write {"Get": "IterationOutput.<body step>.<member>"}',
        )
    elif target.name not in bodies:
        message = f"the body has no step `{target.name}`"
        yield error("SP522", path, message, suggestion(target.name, bodies))


def _check_get(get: PlacedGet, step: Step | None) -> Iterator[Finding]:
    """Yield on `ForEach.CurrentItem` outside a body; `IterationOutput` is a selector's."""
    if get.target.root == ITERATION:
        if step is None or step.known is None or not step.known.repeats:
            message = "`IterationOutput` may stand in the selector of a ForEach step only"
            yield error("SP522", get.path, message)
    elif get.target.root == LOOP and get.target.name:
        if step is None or not step.repeats:
            message = "`ForEach.CurrentItem` may stand in the body of a ForEach step only"
            yield error("SP522", get.path, message)
        if get.target.name != _ITEM:
            message = f"`{get.target.text}` refers to nothing"
            yield error("SP514", get.path, message, f"did you mean `{LOOP}.{_ITEM}`?")
