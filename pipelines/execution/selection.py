"""Selective execution: words of the command line → the steps that run, and what they reuse.

The rules are those of the service's `SelectiveExecutionConfig` (FACTS 1.11): the local engine
refuses by them, and a command does so before it asks an account.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace

from pipelines.definition.steps import take_apart
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.execution.errors import InvalidError
from pipelines.execution.identifiers import identifier
from pipelines.execution.schedule import Schedule, ScheduledStep
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_MOST_SELECTED = 50
_AROUND = "+"


@frozen
class SelectionWords:
    """What the command line selects.

    Args:
        words: names of steps; `train+` adds what comes after a step, `+train` what comes before.
        source: the execution whose results the selected steps use; None for the latest that has
            what they need.
    """

    words: tuple[str, ...] = ()
    source: str | None = None


@frozen
class Selection:
    """Which steps run, on the results of which execution.

    Args:
        steps: names of the steps of the definition.
        source: the ARN of the execution whose results they use; None where they need none and
            there is none.
        reused: the steps whose results are used.
        parameters: the parameters that the source was given.
    """

    steps: tuple[str, ...]
    source: str | None
    reused: frozenset[str]
    parameters: Mapping[str, str]

    def request(self) -> JsonObject:
        """Write the members of StartPipelineExecution."""
        config: JsonObject = {"SelectedSteps": [{"StepName": name} for name in self.steps]}
        if self.source is not None:
            config["SourcePipelineExecutionArn"] = self.source
        return {"SelectiveExecutionConfig": config}

    def given(self, values: Mapping[str, str]) -> Selection:
        """Return the selection without the parameters that are given anew."""
        kept = {name: text for name, text in self.parameters.items() if name not in values}
        return replace(self, parameters=kept)

    def described(self) -> str:
        """Write in one line what runs on what, for people."""
        text = f"selected: {', '.join(self.steps)}"
        if self.source is not None and self.reused:
            text += f"; {', '.join(sorted(self.reused))} from {identifier(self.source)}"
        if self.source is not None and self.parameters:
            given = ", ".join(f"{name}={value}" for name, value in self.parameters.items())
            text += f"; parameters of {identifier(self.source)}: {given}"
        return text


@frozen
class StepSelection:
    """A definition cut down to the selected steps and what they read.

    Args:
        definition: the selected steps, and the reused ones without dependencies.
        reused: steps that are not selected and that a selected one depends on.
    """

    definition: Schedule
    reused: frozenset[str]


def selected_steps(
    words: Collection[str], definition: Schedule, origins: Mapping[str, str]
) -> tuple[str, ...]:
    """Return the steps of a definition that words select, in its order; no words select all.

    Args:
        words: names of steps, each with a `+` before it, after it, or both.
        definition: the definition.
        origins: for steps of the definition the step of the spec that they come from; a name of
            the spec means all of these.

    Raises:
        UsageError: a word names no step, or too many steps are selected.
    """
    nodes = definition.steps
    found: set[str] = set()
    for word in words:
        name = word.removeprefix(_AROUND).removesuffix(_AROUND)
        named = {step for step in nodes if name in (step, origins.get(step))}
        if not named:
            raise _of_a_loop(name, definition) or _unknown(name, nodes, origins)
        found |= named
        if word.startswith(_AROUND):
            found |= _reach(named, _before(nodes))
        if word.endswith(_AROUND):
            found |= _reach(named, _after(nodes))
    if len(found) > _MOST_SELECTED:
        raise UsageError(
            f"{len(found)} steps are selected, and the service takes at most {_MOST_SELECTED}",
            "run the whole pipeline instead",
        )
    return tuple(name for name in nodes if name in found or not words)


def and_after(definition: Schedule, steps: Collection[str]) -> frozenset[str]:
    """Return steps with all that comes after them."""
    return frozenset(steps) | _reach(steps, _after(definition.steps))


def needed(definition: Schedule, selected: Collection[str]) -> frozenset[str]:
    """Return the steps that are not selected and whose results a selected step uses."""
    nodes = definition.steps
    return frozenset(
        other for name in selected for other in nodes[name].waits_for if other not in selected
    )


def without_condition(definition: Schedule, selected: Collection[str]) -> Iterator[tuple[str, str]]:
    """Yield each selected step that stands in a branch, with its condition that is not selected."""
    for name in selected:
        gate = definition.steps[name].gate
        if gate is not None and gate.owner not in selected:
            yield name, gate.owner


def select(
    definition: Schedule, selected: Collection[str], succeeded: Collection[str] | None
) -> StepSelection:
    """Cut a definition down to the selected steps.

    A selected step in a branch whose condition is not selected runs unconditionally.

    Args:
        definition: the whole definition.
        selected: names of `SelectedSteps`.
        succeeded: the steps that succeeded in the source execution; None where none is named.

    Raises:
        InvalidError: an unknown step, a gap between selected steps, or a step that is needed and
            did not succeed in the source execution.
    """
    nodes = definition.steps
    for name in selected:
        if name not in nodes and (refused := _of_a_loop(name, definition)) is not None:
            raise refused
        if name not in nodes:
            known = ", ".join(f"`{node}`" for node in nodes)
            raise InvalidError(
                f"`{name}` is selected, but it is not a step", f"the steps are {known}"
            )
    _refuse_gap(nodes, frozenset(selected))
    reused = needed(definition, selected)
    if reused and succeeded is None:
        raise InvalidError(
            f"the selected steps need {_listed(reused)}, and no source execution is named",
            "name the execution whose results they use: SourcePipelineExecutionArn",
        )
    for name in sorted(reused - set(succeeded or ())):
        raise InvalidError(
            f"the selected steps need `{name}`, which did not succeed in the source execution",
            f"select `{name}` too, or name another source execution",
        )
    kept = {name: _cut(nodes[name], selected) for name in nodes if name in {*selected, *reused}}
    return StepSelection(replace(definition, steps=kept), reused)


def _of_a_loop(name: str, definition: Schedule) -> InvalidError | None:
    """Refuse a step that runs once for each item of another one: that one alone can be selected."""
    for step in take_apart(definition.document).steps:
        if step.name == name and step.repeats:
            owner = next(branch.owner for branch in step.within if branch.repeats)
            return InvalidError(
                f"`{name}` runs once for each item of `{owner}`, and only as a part of it",
                f"select `{owner}`",
            )
    return None


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in sorted(names))


def _unknown(name: str, nodes: Collection[str], origins: Mapping[str, str]) -> UsageError:
    known = dict.fromkeys(origins.get(step, step) for step in nodes)
    close = nearest(name, known) or nearest(name, nodes)
    return UsageError(
        f"the pipeline has no step `{name}`",
        f"did you mean `{close}`?" if close else f"its steps are {', '.join(known)}",
    )


def _cut(node: ScheduledStep, selected: Collection[str]) -> ScheduledStep:
    if node.name not in selected:
        return replace(node, gate=None, waits_for={})
    gate = node.gate if node.gate and node.gate.owner in selected else None
    return replace(node, gate=gate)


def _refuse_gap(nodes: Mapping[str, ScheduledStep], selected: frozenset[str]) -> None:
    """Refuse a step that is not selected and is on a path between two selected steps."""
    between = _reach(selected, _before(nodes)) & _reach(selected, _after(nodes))
    for name in sorted(between - selected):
        raise InvalidError(
            f"`{name}` is between selected steps and is not selected",
            "selected steps must be connected: select it too",
        )


def _before(nodes: Mapping[str, ScheduledStep]) -> dict[str, Collection[str]]:
    return {name: node.predecessors for name, node in nodes.items()}


def _after(nodes: Mapping[str, ScheduledStep]) -> dict[str, set[str]]:
    followers: dict[str, set[str]] = {name: set() for name in nodes}
    for name, node in nodes.items():
        for other in node.predecessors:
            followers[other].add(name)
    return followers


def _reach(start: Collection[str], edges: Mapping[str, Collection[str]]) -> frozenset[str]:
    reached: set[str] = set()
    todo = [other for name in start for other in edges[name]]
    while todo:
        name = todo.pop()
        if name not in reached:
            reached.add(name)
            todo.extend(edges[name])
    return frozenset(reached)
