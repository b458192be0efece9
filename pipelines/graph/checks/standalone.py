"""Steps that also stand in a pipeline of their own: what they refer to must be known there."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph, Node
from pipelines.graph.standalone import repeated
from pipelines.graph.uses import Use
from pipelines.spec import names
from pipelines.spec.model import PIPELINE_NAME
from pipelines.spec.references import Template


def check(graph: Graph) -> Iterator[Finding]:
    """Find references to what only an execution of the whole pipeline knows."""
    for node in graph.nodes.values():
        for suffix in node.pipelines:
            name = names.standing_alone(graph.spec.pipeline, suffix)
            yield from _of_name(graph, node, suffix, name)
            yield from _of_references(graph, node, name)


def _of_name(graph: Graph, node: Node, suffix: str, name: str) -> Iterator[Finding]:
    """Find that the pipeline of a step cannot have its name, or shares it with the deployer."""
    own = PIPELINE_NAME.fullmatch(graph.spec.pipeline) is not None
    is_scheduled = suffix == node.name and getattr(node.step, "schedule", None) is not None
    if is_scheduled and suffix == names.DEPLOY:
        message = f"`{name}` is the pipeline that approvals start: a schedule cannot have it, too"
        yield Finding("SP127", message, node.path, "key", "give the step another name")
    elif own and is_scheduled and not PIPELINE_NAME.fullmatch(name):
        message = f"`{name}` cannot be the name of the pipeline that `schedule` starts"
        advice = "letters, digits and hyphens between them, at most 256: give the step another name"
        yield Finding("SP127", message, node.path, "key", advice)
    elif own and not PIPELINE_NAME.fullmatch(name):
        message = f"`{name}` is longer than a pipeline's name can be"
        yield Finding("SP127", message, ("pipeline",), help=f"`{node.name}` is in it too")


def _of_references(graph: Graph, node: Node, name: str) -> Iterator[Finding]:
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
