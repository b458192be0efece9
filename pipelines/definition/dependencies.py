"""What a step needs of others: for its order, its data, its files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.steps import Step, take_apart
from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import STEPS
from pipelines.json_types import JsonObject
from pipelines.steptypes.places import below

COMPLETED: Final = "Completed"
TRIGGERS: Final = (COMPLETED, "Failed", "Stopped", "Any")
"""How a step may have ended for one that waits for it to run (SDK step_dependency.py)."""


@frozen
class Dependency:
    """One place in which a step names another.

    Args:
        step: the other step's name.
        path: the place.
        trigger: how the other has to end, one of `TRIGGERS` when it is right.
    """

    step: str
    path: Path
    trigger: str = COMPLETED


def declared(step: Step) -> Iterator[Dependency]:
    """Yield the steps that a step's `DependsOn` names."""
    listed = step.whole.get("DependsOn")
    for index, item in enumerate(listed if isinstance(listed, list) else []):
        path = (*step.path, "DependsOn", index)
        if isinstance(item, str):
            yield Dependency(item, path)
        elif isinstance(item, dict) and isinstance(item.get("Step"), str):
            trigger = item.get("Trigger")
            yield Dependency(item["Step"], (*path, "Step"), str(trigger or COMPLETED))


def in_arguments(step: Step) -> Iterator[Dependency]:
    """Yield the steps that a step's arguments name as texts, as those of a Cleanup do."""
    for place in step.known.step_names if step.known is not None else ():
        for path, name in below(step.arguments, place):
            if isinstance(name, str):
                yield Dependency(name, (*step.path, "Arguments", *path))


def dependencies(step: Step) -> Iterator[Dependency]:
    """Yield every step that a step names, in whichever way."""
    yield from declared(step)
    for get in step.gets:
        if get.target.root == STEPS:
            yield Dependency(get.target.name, get.path)
    yield from in_arguments(step)


@frozen
class Outlined:
    """A step in the order of its definition.

    Args:
        step: the step.
        waits_for: the steps that end before it starts, among them the one it stands in.
    """

    step: Step
    waits_for: tuple[str, ...]


def outline(definition: JsonObject) -> tuple[Outlined, ...]:
    """Return the steps of a definition that has no errors, each after what it waits for."""
    left = {step.name: _outlined(step) for step in take_apart(definition).steps}
    found: list[Outlined] = []
    while left:
        name = next(name for name, step in left.items() if left.keys().isdisjoint(step.waits_for))
        found.append(left.pop(name))
    return tuple(found)


def _outlined(step: Step) -> Outlined:
    owner = [step.branch.owner] if step.branch is not None else []
    waits_for = dict.fromkeys([*(one.step for one in dependencies(step)), *owner])
    return Outlined(step, tuple(waits_for))
