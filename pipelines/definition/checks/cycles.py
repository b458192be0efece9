"""Checks that no steps wait for each other; names the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.definition.dependencies import dependencies
from pipelines.definition.findings import error
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding, Path


def check(definition: Definition) -> Iterator[Finding]:
    """Yield one finding for every cycle that is met on a walk through the steps."""
    needs = _needs(definition)
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


def _needs(definition: Definition) -> dict[str, dict[str, Path]]:
    """Return what each step waits for, with where that is said."""
    needs: dict[str, dict[str, Path]] = {}
    for step in definition.steps:
        own = needs.setdefault(step.name, {})
        for dependency in dependencies(step):
            if dependency.step in definition.named:
                own.setdefault(dependency.step, dependency.path)
        if step.branch is not None:
            own.setdefault(step.branch.owner, step.path)
    return needs


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
