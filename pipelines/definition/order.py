"""Says what each step of a definition waits for; finds cycles and names the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.definition.checks.functions import Reference, functions_of_step
from pipelines.definition.checks.policies import dependencies
from pipelines.definition.model import Branch, Entry, error, take_apart
from pipelines.diagnostics import Finding, Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import STEPS
from pipelines.json_types import JsonObject
from pipelines.steptypes.places import below


@frozen
class Step:
    """One step of a definition in its order.

    Args:
        name: its name.
        type: its Type.
        within: the branch or the body that it stands in; None at the top level.
        waits_for: the steps that end before it starts, among them the one it stands in.
    """

    name: str
    type: str
    within: Branch | None
    waits_for: tuple[str, ...]


def outline(definition: JsonObject) -> tuple[Step, ...]:
    """Return the steps of a definition that has no errors, each after what it waits for."""
    left = {entry.name: _step(entry) for entry in take_apart(definition).entries}
    found: list[Step] = []
    while left:
        name = next(name for name, step in left.items() if left.keys().isdisjoint(step.waits_for))
        found.append(left.pop(name))
    return tuple(found)


def _step(entry: Entry) -> Step:
    within = entry.within[-1] if entry.within else None
    owner = [within.owner] if within else []
    waits_for = dict.fromkeys([*(name for name, _ in needed(entry)), *owner])
    return Step(entry.name, entry.type, within, tuple(waits_for))


def needed(entry: Entry) -> Iterator[tuple[str, Path]]:
    """Yield every step that a step names, with the place: for its order, its data, its files."""
    yield from dependencies(entry)
    for found in functions_of_step(entry):
        if isinstance(found, Reference) and found.target.root == STEPS:
            yield found.target.name, found.path
    yield from cleaned(entry)


def cleaned(entry: Entry) -> Iterator[tuple[str, Path]]:
    """Yield the steps that a step names in its arguments (Cleanup), with their places."""
    for place in entry.known.step_names if entry.known is not None else ():
        for path, name in below(entry.arguments, place):
            if isinstance(name, str):
                yield name, (*entry.path, "Arguments", *path)


def check_cycles(needs: Mapping[str, Mapping[str, Path]]) -> Iterator[Finding]:
    """Yield one finding for every cycle that is met on a walk through the steps.

    Args:
        needs: step → what it needs → where that is said.
    """
    done: set[str] = set()
    for start in needs:
        chain: list[str] = []
        walks: list[Iterator[str]] = []
        _enter(start, needs, chain, walks, done)
        while walks:
            following = next(walks[-1], None)
            if following is None:
                done.add(chain.pop())
                walks.pop()
            elif following in chain:
                cycle = chain[chain.index(following) :]
                yield _finding(cycle, needs)
            else:
                _enter(following, needs, chain, walks, done)


def _enter(
    name: str,
    needs: Mapping[str, Mapping[str, Path]],
    chain: list[str],
    walks: list[Iterator[str]],
    done: set[str],
) -> None:
    if name not in done and name in needs:
        chain.append(name)
        walks.append(iter(needs[name]))


def _finding(cycle: list[str], needs: Mapping[str, Mapping[str, Path]]) -> Finding:
    chain = " → ".join((*cycle, cycle[0]))
    place = needs[cycle[-1]][cycle[0]]
    return error("SP521", place, f"the steps wait for each other: {chain}")
