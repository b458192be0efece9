"""Names of experiments: their members are steps, whose names begin with it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find names that leave no room for those of the members."""
    named = {name: node for name, node in graph.nodes.items() if hasattr(node.step, "matrix")}
    if not named:
        return
    from pipelines.kinds.base.matrix import LONGEST_STEP  # noqa: PLC0415 - seldom needed

    for name, node in named.items():
        if len(name) > LONGEST_STEP:
            yield Finding(
                "SP506",
                f"`{name}` is too long: the names of its members, which are steps, begin with it",
                node.path,
                at="key",
                help=f"use at most {LONGEST_STEP} characters",
            )
