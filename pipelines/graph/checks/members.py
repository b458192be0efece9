"""Experiments whose members, with all other steps, are more than a pipeline takes."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.checks.sizes import MOST_STEPS
from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph, Node


def check(graph: Graph) -> Iterator[Finding]:
    """Find the largest matrix of a pipeline with too many steps; one alone is found before."""
    counted = {name: _members(node) for name, node in graph.nodes.items()}
    largest = max(counted, key=lambda name: counted[name], default="")
    total = len(graph.nodes) + sum(counted.values())
    if total > MOST_STEPS and counted[largest]:
        from pipelines.kinds.base.matrix import TOO_MANY  # noqa: PLC0415 - seldom needed

        message = f"with {counted[largest]} members of `{largest}` the pipeline has {total} steps"
        path = ("steps", largest, "matrix")
        yield Finding("SP135", f"{message}, but may have {MOST_STEPS}", path, "key", TOO_MANY)


def _members(node: Node) -> int:
    """Return how many steps a step becomes before the one of its own name, by a matrix."""
    if getattr(node.step, "matrix", None) is None:
        return 0
    from pipelines.kinds.base.matrix import rows  # noqa: PLC0415 - seldom needed

    return len(rows(node.step.matrix))
