"""`after:` names steps that are there and can be waited for."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import listed
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find unknown steps and Fail steps in `after:`."""
    known = sorted(graph.declared)
    for node in graph.nodes.values():
        for source in node.spec.after:
            path = (*node.path, "after", source)
            if source not in graph.declared:
                close = nearest(source, known)
                advice = f"did you mean `{close}`?" if close else f"steps: {listed(known, '')}"
                yield Finding("SP204", f"there is no step `{source}`", path, "key", advice)
            elif source in graph.nodes and graph.nodes[source].type.terminal:
                message = f"`{source}` fails the execution: nothing can run after it"
                yield Finding("SP206", message, path, "key", "wait for another step")
