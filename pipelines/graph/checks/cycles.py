"""Steps that wait for each other: every cycle with its chain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Edge, Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find the cycles among the steps that have no place in the order."""
    reported: set[str] = set()
    for name in _waiting_for_each_other(graph):
        cycle = None if name in reported else _cycle_through(graph, name)
        if cycle is None:
            continue
        reported.update(edge.source for edge in cycle)
        chain = " → ".join([name, *(edge.source for edge in cycle)])
        yield Finding(
            "SP210",
            f"these steps wait for each other: {chain}",
            cycle[0].path,
            help="remove one of these references",
            within=cycle[0].within,
        )


def _waiting_for_each_other(graph: Graph) -> list[str]:
    """Return the steps without a place in the order, less those that only wait for such a step."""
    ordered = set(graph.order)
    stuck = [name for name in graph.nodes if name not in ordered]
    sources = {n: {e.source for e in graph.nodes[n].edges} - ordered for n in stuck}
    waited_for = Counter(source for each in sources.values() for source in each)
    last = [name for name in stuck if not waited_for[name]]
    for name in last:
        for source in sources.pop(name):
            waited_for[source] -= 1
            if not waited_for[source]:
                last.append(source)
    return [*sources]


def _cycle_through(graph: Graph, start: str) -> list[Edge] | None:
    """Follow what `start` waits for until it comes back; None when it does not."""
    trail: list[Edge] = []
    seen: set[str] = set()
    pending = [(0, edge) for edge in reversed(graph.nodes[start].edges)]
    while pending:
        depth, edge = pending.pop()
        del trail[depth:]
        trail.append(edge)
        if edge.source == start:
            return trail
        if edge.source not in seen:
            seen.add(edge.source)
            edges = graph.nodes[edge.source].edges
            pending.extend((depth + 1, following) for following in reversed(edges))
    return None
