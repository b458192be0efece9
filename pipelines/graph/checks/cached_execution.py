"""`execution.…` in a cached step: its key would differ in every execution."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph
from pipelines.graph.uses import uses_in
from pipelines.spec.steps import JobStep


def check(graph: Graph) -> Iterator[Finding]:
    """Find execution variables in what a cached step gets."""
    varying = {
        ("data", name)
        for name, source in graph.spec.data.items()
        if source.immutable  # else who reads it is not cached
        and any(use.reference.root == "execution" for use in uses_in(source, ()))
    }
    for node in graph.nodes.values():
        if not isinstance(node.step, JobStep) or node.step.cache is None:
            continue
        for use in node.uses:
            if use.reference.root == "execution" or use.reference.parts[:2] in varying:
                yield Finding(
                    "SP212",
                    f"`{use.reference}` differs in every execution: `{node.name}` would never "
                    "be taken from the cache",
                    use.path,
                    help="remove the reference, or set `cache: false`",
                    within=use.within,
                )
