"""A definition → its schedule: what each step waits for, whether it may start, how all ended.

The local engine runs by these rules; an execution that runs elsewhere is followed by them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from typing import Protocol, TypeAlias

from pipelines.definition.dependencies import COMPLETED, declared, dependencies
from pipelines.definition.steps import Branch, Definition, Step, take_apart
from pipelines.execution.errors import InvalidError
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_TRIGGERS: Mapping[str, frozenset[StepStatus]] = {
    "Completed": frozenset({StepStatus.SUCCEEDED}),
    "Failed": frozenset({StepStatus.FAILED}),
    "Stopped": frozenset({StepStatus.STOPPED}),
    "Any": frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED}),
}
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_REASON_LENGTH = 1300


@frozen
class ScheduledStep:
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
    steps: Mapping[str, ScheduledStep]


def read_schedule(text: str) -> Schedule:
    """Read definition JSON.

    Raises:
        InvalidError: it cannot be scheduled.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidError(f"the pipeline definition is not valid JSON: {error}") from None
    if not isinstance(document, dict) or not isinstance(document.get("Steps"), list):
        raise InvalidError("the pipeline definition has no list `Steps`")
    parts = take_apart(document)
    if parts.misplaced:
        raise InvalidError("every step of a pipeline definition needs `Name` and `Type`")
    steps = {step.name: step for step in _scheduled(parts)}
    nodes = {
        name: ScheduledStep(
            name, step.type, step.whole, step.branch, _waits_for(step, parts, steps)
        )
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
                f"`{step.whole['Name']}` is not a valid step name",
                "write up to 64 letters, digits, hyphens and underscores",
            )
        if step.name in seen:
            raise InvalidError(f"two steps are named `{step.name}`")
        seen.add(step.name)
        yield step


def _of_step(step: Step, definition: Definition, known: Collection[str]) -> ScheduledStep:
    waits = _waits_for(step, definition, known)
    return ScheduledStep(step.name, step.type, step.whole, step.branch, waits)


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
                f"step `{step.name}` refers to `{other}`, which this pipeline does not have",
                f"its steps are {', '.join(f'`{name}`' for name in known)}",
            )
    return waits


def _refuse_cycle(nodes: Mapping[str, ScheduledStep]) -> None:
    left = {name: set(node.predecessors) for name, node in nodes.items()}
    while left:
        free = {name for name, waits in left.items() if not waits & left.keys()}
        if not free:
            circle = ", ".join(f"`{name}`" for name in left)
            raise InvalidError(f"these steps wait for each other and can never start: {circle}")
        left = {name: waits for name, waits in left.items() if name not in free}


@frozen
class Waiting:
    """Something before it has not ended."""


@frozen
class Ready:
    """It may start."""


@frozen
class WillNotRun:
    """It will never start."""

    because: str


class EndedStep(Protocol):
    """A step that has ended; `outcome` is a condition's, `True` or `False`."""

    @property
    def name(self) -> str:
        """The step's name."""

    @property
    def status(self) -> StepStatus:
        """How it ended."""

    @property
    def reason(self) -> str | None:
        """Why it failed."""

    @property
    def outcome(self) -> str | None:
        """The branch that a condition took."""


Readiness: TypeAlias = Waiting | Ready | WillNotRun


def readiness(
    node: ScheduledStep, ended: Mapping[str, EndedStep], skipped: Collection[str]
) -> Readiness:
    """Return whether a step may start."""
    found = [
        _of_dependency(name, statuses, ended.get(name), skipped)
        for name, statuses in node.waits_for.items()
    ]
    if node.gate is not None:
        found.insert(0, _of_gate(node.gate, ended.get(node.gate.owner), skipped))
    for decided in found:
        if isinstance(decided, WillNotRun):
            return decided
    return Waiting() if Waiting() in found else Ready()


def _of_dependency(
    name: str,
    statuses: Collection[StepStatus],
    record: EndedStep | None,
    skipped: Collection[str],
) -> Readiness:
    if name in skipped:
        return WillNotRun(f"`{name}` did not run")
    if record is None:
        return Waiting()
    if record.status not in statuses:
        return WillNotRun(f"`{name}` ended as {record.status}")
    return Ready()


def _of_gate(gate: Branch, record: EndedStep | None, skipped: Collection[str]) -> Readiness:
    decided = _of_dependency(gate.owner, (StepStatus.SUCCEEDED,), record, skipped)
    if isinstance(decided, Ready) and record and record.outcome != gate.nested.outcome:
        return WillNotRun(f"`{gate.owner}` took the other branch")
    return decided


def is_handled(
    name: str, nodes: Mapping[str, ScheduledStep], records: Mapping[str, EndedStep]
) -> bool:
    """Return whether a step that ran waited for just this failure of `name` (a trigger)."""
    return any(
        other in records and records[name].status in node.waits_for.get(name, ())
        for other, node in nodes.items()
    )


def final_status(
    nodes: Mapping[str, ScheduledStep], ended: Mapping[str, EndedStep]
) -> tuple[ExecutionStatus, str | None]:
    """Return how an execution that was not stopped has ended, and why where it failed."""
    bad = {
        name: record for name, record in ended.items() if record.status is not StepStatus.SUCCEEDED
    }
    open_ = [record for name, record in bad.items() if not is_handled(name, nodes, ended)]
    failed = [record for record in open_ if record.status is StepStatus.FAILED]
    if failed:
        reasons = "; ".join(f"{record.name}: {record.reason}" for record in failed)
        text = f"Step failure: One or multiple steps failed. {reasons}"
        return ExecutionStatus.FAILED, text[:_REASON_LENGTH]
    if open_:
        return ExecutionStatus.STOPPED, None
    if bad:
        return ExecutionStatus.COMPLETED_WITH_FAILURES, None
    return ExecutionStatus.SUCCEEDED, None
