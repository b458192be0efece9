"""Definition JSON → the steps with everything that each of them waits for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping

from pipelines.execution.errors import InvalidError
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.grammar.references import step_references
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import find

_TRIGGERS: Mapping[str, frozenset[StepStatus]] = {
    "Completed": frozenset({StepStatus.SUCCEEDED}),
    "Failed": frozenset({StepStatus.FAILED}),
    "Stopped": frozenset({StepStatus.STOPPED}),
    "Any": frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED}),
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")


@frozen
class Gate:
    """The branch that a step stands in: it runs when the condition's outcome is this one."""

    condition: str
    outcome: str


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
    gate: Gate | None
    waits_for: Mapping[str, frozenset[StepStatus]]

    @property
    def predecessors(self) -> frozenset[str]:
        """The steps that must have ended before this one can start."""
        gate = {self.gate.condition} if self.gate else set()
        return frozenset(self.waits_for) | gate


@frozen
class Definition:
    """A definition that can be scheduled: names unique, references known, no cycle."""

    document: JsonObject
    nodes: Mapping[str, Node]


def read_definition(text: str) -> Definition:
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
    found: dict[str, tuple[JsonObject, Gate | None]] = {}
    for step, gate in _steps(document["Steps"], None):
        if step["Name"] in found:
            raise InvalidError(f"two steps are named `{step['Name']}`")
        found[step["Name"]] = (step, gate)
    nodes = {
        name: Node(name, step["Type"], step, gate, _waits_for(step, found))
        for name, (step, gate) in found.items()
    }
    _refuse_cycle(nodes)
    return Definition(document, nodes)


def _steps(steps: Json, gate: Gate | None) -> Iterator[tuple[JsonObject, Gate | None]]:
    for step in steps or []:
        if not isinstance(step, dict) or not {"Name", "Type"} <= step.keys():
            raise InvalidError("every step of a pipeline definition needs `Name` and `Type`")
        if not _NAME.fullmatch(str(step["Name"])):
            raise InvalidError(
                f"`{step['Name']}` is no name of a step",
                "write up to 64 letters, digits, hyphens and underscores",
            )
        yield step, gate
        step_type = find(str(step["Type"]))
        for nested in step_type.holds if step_type is not None else ():
            if nested.outcome is not None:
                inner = step.get("Arguments", {}).get(nested.argument)
                yield from _steps(inner, Gate(step["Name"], nested.outcome))


def _waits_for(step: JsonObject, known: Mapping[str, object]) -> dict[str, frozenset[StepStatus]]:
    """Collect data references, then `DependsOn`, which may name another trigger."""
    name = step["Name"]
    waits = dict.fromkeys(step_references(step), _TRIGGERS["Completed"])
    for entry in step.get("DependsOn") or []:
        if isinstance(entry, dict):
            trigger = entry.get("Trigger") or "Completed"
            if trigger not in _TRIGGERS:
                raise InvalidError(
                    f"step `{name}` waits for the trigger `{trigger}`",
                    f"the triggers are {', '.join(_TRIGGERS)}",
                )
            waits[entry.get("Step", "")] = _TRIGGERS[trigger]
        else:
            waits[str(entry)] = _TRIGGERS["Completed"]
    for other in waits:
        if other not in known:
            raise InvalidError(
                f"step `{name}` refers to `{other}`, which is no step of this pipeline",
                f"its steps are {', '.join(f'`{step}`' for step in known)}",
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
