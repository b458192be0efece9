"""Names of inputs: none that the job uses itself."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find inputs with the name of the step's code (decision 1) or of its model."""
    for node in graph.nodes.values():
        code = node.kind.needs(node.name, node.step).code
        inputs = getattr(node.step, "inputs", {})
        taken = {"code": "the step's own code"} if code else {}
        if code and code.model_input:
            taken[code.model_input] = "the model"
        for name in inputs:
            if name in taken:
                yield Finding(
                    "SP130",
                    f"the input name `{name}` is taken by {taken[name]}",
                    (*node.path, "inputs", name),
                    at="key",
                    help="choose another name",
                )
