"""Definition JSON → the steps with everything that each of them waits for."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping

from pipelines.definition.dependencies import COMPLETED, declared, dependencies
from pipelines.definition.steps import Branch, Definition, Step, take_apart
from pipelines.execution.errors import InvalidError
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_TRIGGERS: Mapping[str, frozenset[StepStatus]] = {
    "Completed": frozenset({StepStatus.SUCCEEDED}),
    "Failed": frozenset({StepStatus.FAILED}),
    "Stopped": frozenset({StepStatus.STOPPED}),
    "Any": frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED}),
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@frozen
class Node:
    """One step.

    Args:
        name: its name, unique in the definition.
        type: its Type.
        step: the step as it stands in the definition.
        gate: the branch it stands in, None at top level.
        waits_for: the steps it depends on, each with the statuses that let it run.
    """

    name: str
    type: str
    step: JsonObject
    gate: Branch | None
    waits_for: Mapping[str, frozenset[StepStatus]]

    @property
    def predecessors(self) -> frozenset[str]:
        """The steps that must have ended before this one can start."""
        gate = {self.gate.owner} if self.gate else set()
        return frozenset(self.waits_for) | gate


@frozen
class Schedule:
    """A definition that can be scheduled: names unique, references known, no cycle."""

    document: JsonObject
    nodes: Mapping[str, Node]


def read_schedule(text: str) -> Schedule:
    """Read definition JSON.

    Raises:
        InvalidError: it cannot be scheduled.
    """
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InvalidError(f"the pipeline definition is no JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Steps"), list):
        raise InvalidError("the pipeline definition has no list `Steps`")
    parts = take_apart(document)
    if parts.misplaced:
        raise InvalidError("every step of a pipeline definition needs `Name` and `Type`")
    steps = {step.name: step for step in _scheduled(parts)}
    nodes = {
        name: Node(name, step.type, step.whole, step.branch, _waits_for(step, parts, steps))
        for name, step in steps.items()
    }
    _refuse_cycle(nodes)
    return Schedule(document, nodes)


def _scheduled(definition: Definition) -> Iterator[Step]:
    """Yield the steps that are scheduled; those that run once per item belong to their owner."""
    seen: set[str] = set()
    for step in definition.steps:
        if step.repeats:
            continue
        if not {"Name", "Type"} <= step.whole.keys():
            raise InvalidError("every step of a pipeline definition needs `Name` and `Type`")
        if not _NAME.fullmatch(step.name):
            raise InvalidError(
                f"`{step.whole['Name']}` is no name of a step",
                "write up to 64 letters, digits, hyphens and underscores",
            )
        if step.name in seen:
            raise InvalidError(f"two steps are named `{step.name}`")
        seen.add(step.name)
        yield step


def _waits_for(
    step: Step, definition: Definition, known: Collection[str]
) -> dict[str, frozenset[StepStatus]]:
    """Collect what a step needs, the steps that it repeats included; `DependsOn` has triggers."""
    repeated = [one for one in definition.inside(step) if one.repeats]
    own = {one.name for one in repeated}
    needed = (one.step for each in (step, *repeated) for one in dependencies(each))
    waits = {name: _TRIGGERS[COMPLETED] for name in needed if name not in own}
    for one in declared(step):
        if one.trigger not in _TRIGGERS:
            raise InvalidError(
                f"step `{step.name}` waits for the trigger `{one.trigger}`",
                f"the triggers are {', '.join(_TRIGGERS)}",
            )
        waits[one.step] = _TRIGGERS[one.trigger]
    for other in waits:
        if other not in known:
            raise InvalidError(
                f"step `{step.name}` refers to `{other}`, which is no step of this pipeline",
                f"its steps are {', '.join(f'`{name}`' for name in known)}",
            )
    return waits


def _refuse_cycle(nodes: Mapping[str, Node]) -> None:
    left = {name: set(node.predecessors) for name, node in nodes.items()}
    while left:
        free = {name for name, waits in left.items() if not waits & left.keys()}
        if not free:
            circle = ", ".join(f"`{name}`" for name in left)
            raise InvalidError(f"these steps wait for each other and can never start: {circle}")
        left = {name: waits for name, waits in left.items() if name not in free}
