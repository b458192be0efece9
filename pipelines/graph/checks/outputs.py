"""Names of outputs: no name twice, none that is the beginning of another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph, Node


def check(graph: Graph) -> Iterator[Finding]:
    """Find output names of one step that S3 would mix up: its input is by prefix (FACTS 11.8)."""
    for node in graph.nodes.values():
        names = [name for name in _outputs(node) if name]
        path = (*node.path, "outputs")
        for name, count in Counter(names).items():
            if count > 1:
                yield Finding("SP211", f"the output `{name}` is listed {count} times", path)
        for name in names:
            for longer in names:
                if longer != name and longer.startswith(name):
                    yield Finding(
                        "SP211",
                        f"the output `{name}` is a prefix of `{longer}`",
                        path,
                        help=f"S3 reads by prefix: a step that reads `{name}` would get both",
                    )


def _outputs(node: Node) -> tuple[str, ...]:
    """Return the outputs of a step's job: those of its code, else those that the spec names."""
    code = node.kind.needs(node.name, node.step).code
    if code is not None:
        return code.outputs
    return (*getattr(node.step, "outputs", ()), *getattr(node.step, "reports", ()))
