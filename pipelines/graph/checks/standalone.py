"""Steps that also stand in a pipeline of their own: what they refer to must be known there."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph
from pipelines.graph.standalone import repeated
from pipelines.graph.uses import Use
from pipelines.spec import names
from pipelines.spec.model import PIPELINE_NAME
from pipelines.spec.references import Template


def check(graph: Graph) -> Iterator[Finding]:
    """Find references to what only an execution of the whole pipeline knows."""
    for node in graph.nodes.values():
        suffix = node.kind.stands_alone
        if suffix is None:
            continue
        name = names.standing_alone(graph.spec.pipeline, suffix)
        if PIPELINE_NAME.fullmatch(graph.spec.pipeline) and not PIPELINE_NAME.fullmatch(name):
            message = f"`{name}` is longer than a pipeline's name can be"
            yield Finding("SP127", message, ("pipeline",), help=f"`{node.name}` is in it too")
        for use in node.uses:
            yield from _without_default(graph, use, name)
            of_step = use.reference.root == "steps" and use.reference.name in graph.nodes
            if not of_step or _known(repeated(graph, use.reference)):
                continue
            yield Finding(
                "SP215",
                f"`{use.reference}` is not known in `{name}`, where `{node.name}` runs alone",
                use.path,
                help="write the text out, or refer to the `group` of a registration",
                within=use.within,
            )


def _without_default(graph: Graph, use: Use, pipeline: str) -> Iterator[Finding]:
    taken = repeated(graph, use.reference) if use.reference.root == "steps" else None
    for one in taken.references if isinstance(taken, Template) else (use.reference,):
        parameter = graph.spec.parameters.get(one.name) if one.root == "parameters" else None
        if parameter is not None and parameter.default is None:
            message = f"`{one}` has no default, and `{pipeline}` gets no value for it"
            advice = "give the parameter a default, or write the text out"
            yield Finding("SP215", message, use.path, help=advice, within=use.within)


def _known(text: str | Template | None) -> bool:
    match text:
        case None:
            return False
        case Template(references=references):
            return all(one.root != "steps" for one in references)
        case _:
            return True
