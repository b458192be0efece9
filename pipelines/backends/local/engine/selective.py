"""Selective execution: which steps run, and which reuse an earlier execution's result."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

from pipelines.backends.local.errors import invalid
from pipelines.execution.schedule import Schedule, ScheduledStep
from pipelines.frozen import frozen


@frozen
class StepSelection:
    """A definition cut down to the selected steps and what they read.

    Args:
        definition: the selected steps, and the reused ones without dependencies.
        reused: steps that are not selected and that a selected one depends on.
    """

    definition: Schedule
    reused: frozenset[str]


def select(
    definition: Schedule, selected: Collection[str], succeeded: Collection[str]
) -> StepSelection:
    """Cut a definition down to the selected steps.

    A selected step in a branch whose condition is not selected runs unconditionally.

    Args:
        definition: the whole definition.
        selected: names of `SelectedSteps`.
        succeeded: the steps that succeeded in the source execution.

    Raises:
        ServiceError: ValidationException: an unknown step, a gap between selected steps, or a
            step that is needed and did not succeed in the source execution.
    """
    nodes = definition.steps
    for name in selected:
        if name not in nodes:
            known = ", ".join(f"`{node}`" for node in nodes)
            raise invalid(f"`{name}` is selected, but it is not a step", f"the steps are {known}")
    _refuse_gap(nodes, frozenset(selected))
    reused = frozenset(
        other for name in selected for other in nodes[name].waits_for if other not in selected
    )
    for name in sorted(reused - set(succeeded)):
        raise invalid(
            f"the selected steps need `{name}`, which did not succeed in the source execution",
            f"select `{name}` too, or name another source execution",
        )
    kept = {name: _cut(nodes[name], selected) for name in nodes if name in {*selected, *reused}}
    return StepSelection(replace(definition, steps=kept), reused)


def _cut(node: ScheduledStep, selected: Collection[str]) -> ScheduledStep:
    if node.name not in selected:
        return replace(node, gate=None, waits_for={})
    gate = node.gate if node.gate and node.gate.owner in selected else None
    return replace(node, gate=gate)


def _refuse_gap(nodes: Mapping[str, ScheduledStep], selected: frozenset[str]) -> None:
    """Refuse a step that is not selected and is on a path between two selected steps."""
    after = _reach(nodes, selected, {name: node.predecessors for name, node in nodes.items()})
    followers: dict[str, set[str]] = {name: set() for name in nodes}
    for name, node in nodes.items():
        for other in node.predecessors:
            followers[other].add(name)
    before = _reach(nodes, selected, followers)
    for name in sorted((after & before) - selected):
        raise invalid(
            f"`{name}` is between selected steps and is not selected",
            "selected steps must be connected: select it too",
        )


def _reach(
    nodes: Mapping[str, ScheduledStep], start: frozenset[str], edges: Mapping[str, Collection[str]]
) -> frozenset[str]:
    reached: set[str] = set()
    todo = [other for name in start for other in edges[name]]
    while todo:
        name = todo.pop()
        if name not in reached and name in nodes:
            reached.add(name)
            todo.extend(edges[name])
    return frozenset(reached)
