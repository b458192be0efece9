"""Steps that also stand in a pipeline of their own: what they refer to must be known there."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph
from pipelines.graph.standalone import repeated
from pipelines.spec.model import PIPELINE_NAME
from pipelines.spec.references import Template


def check(graph: Graph) -> Iterator[Finding]:
    """Find references to what only an execution of the whole pipeline knows."""
    for node in graph.nodes.values():
        suffix = node.kind.stands_alone
        if suffix is None:
            continue
        name = f"{graph.spec.pipeline}-{suffix}"
        if PIPELINE_NAME.fullmatch(graph.spec.pipeline) and not PIPELINE_NAME.fullmatch(name):
            message = f"`{name}` is longer than a pipeline's name can be"
            yield Finding("SP127", message, ("pipeline",), help=f"`{node.name}` stands in it too")
        for use in node.uses:
            if use.reference.root != "steps" or _known(repeated(graph, use.reference)):
                continue
            yield Finding(
                "SP215",
                f"`{use.reference}` is not known in `{name}`, where `{node.name}` stands alone",
                use.path,
                help="write the text out, or refer to the `group` of a registration",
                within=use.within,
            )


def _known(text: str | Template | None) -> bool:
    match text:
        case None:
            return False
        case Template(references=references):
            return all(one.root != "steps" for one in references)
        case _:
            return True
