"""The rules of scheduling: may a step start, and how has an execution ended."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Protocol, TypeAlias

from pipelines.definition.steps import Branch
from pipelines.execution.schedule import Node
from pipelines.execution.status import ExecutionStatus, StepStatus
from pipelines.frozen import frozen

_REASON_LENGTH = 1300


@frozen
class Wait:
    """Something before it has not ended."""


@frozen
class Start:
    """It may start."""


@frozen
class Skip:
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


Verdict: TypeAlias = Wait | Start | Skip


def verdict(node: Node, ended: Mapping[str, EndedStep], skipped: Collection[str]) -> Verdict:
    """Say whether a step may start."""
    verdicts = [
        _of_dependency(name, statuses, ended.get(name), skipped)
        for name, statuses in node.waits_for.items()
    ]
    if node.gate is not None:
        verdicts.insert(0, _of_gate(node.gate, ended.get(node.gate.owner), skipped))
    for decided in verdicts:
        if isinstance(decided, Skip):
            return decided
    return Wait() if Wait() in verdicts else Start()


def _of_dependency(
    name: str,
    statuses: Collection[StepStatus],
    record: EndedStep | None,
    skipped: Collection[str],
) -> Verdict:
    if name in skipped:
        return Skip(f"`{name}` did not run")
    if record is None:
        return Wait()
    if record.status not in statuses:
        return Skip(f"`{name}` ended as {record.status}")
    return Start()


def _of_gate(gate: Branch, record: EndedStep | None, skipped: Collection[str]) -> Verdict:
    decided = _of_dependency(gate.owner, (StepStatus.SUCCEEDED,), record, skipped)
    if isinstance(decided, Start) and record and record.outcome != gate.nested.outcome:
        return Skip(f"`{gate.owner}` took the other branch")
    return decided


def is_handled(name: str, nodes: Mapping[str, Node], records: Mapping[str, EndedStep]) -> bool:
    """Say whether a step that ran waited for just this failure of `name` (a trigger)."""
    return any(
        other in records and records[name].status in node.waits_for.get(name, ())
        for other, node in nodes.items()
    )


def final_status(
    nodes: Mapping[str, Node], ended: Mapping[str, EndedStep]
) -> tuple[ExecutionStatus, str | None]:
    """Say how an execution that was not stopped has ended, and why where it failed."""
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
