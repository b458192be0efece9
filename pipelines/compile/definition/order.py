"""Finds cycles among a definition's steps and names the chain."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pipelines.compile.definition.model import error
from pipelines.diagnostics import Finding, Path


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
