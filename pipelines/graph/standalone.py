"""A graph → the further pipelines that it holds: steps that also stand alone, and nothing else.

What such a step takes from another step of the spec must be known without it: an output that
repeats a key of that step is replaced by the key's own text.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from pipelines.graph.build import assemble
from pipelines.graph.model import Graph, Node
from pipelines.graph.uses import uses_in
from pipelines.spec import names
from pipelines.spec.references import Reference, Template
from pipelines.spec.steps import StepSpec


def standing_alone(graph: Graph) -> Iterator[Graph]:
    """Yield one graph for each suffix that steps of the graph name, `<pipeline>-<suffix>`.

    The graph has no findings; `checks/standalone.py` has looked at the references.
    """
    found: dict[str, list[Node]] = {}
    for node in graph.nodes.values():
        for suffix in node.pipelines:
            found.setdefault(suffix, []).append(node)
    for suffix, nodes in found.items():
        steps = {node.name: _alone(graph, node) for node in nodes}
        uses = (use.reference for step in steps.values() for use in uses_in(step, ()))
        used = {one.name for one in uses if one.root == "parameters"}
        spec = graph.spec.model_copy(
            update={
                "pipeline": names.standing_alone(graph.spec.pipeline, suffix),
                "parameters": {n: p for n, p in graph.spec.parameters.items() if n in used},
                "steps": steps,
            }
        )
        yield assemble(spec, steps)


def repeated(graph: Graph, reference: Reference) -> str | Template | None:
    """Return the text of the key that an output repeats; None where it repeats none."""
    node = graph.nodes.get(reference.name) if len(reference.parts) == 3 else None
    output = node.outputs.get(str(reference.parts[2])) if node else None
    if node is None or output is None or output.repeats is None:
        return None
    text: str | Template = getattr(node.step, output.repeats)
    return text


def _alone(graph: Graph, node: Node) -> StepSpec:
    step: StepSpec = _replaced(graph, node.step)
    return step.model_copy(update={"after": {}})


def _replaced(graph: Graph, value: Any) -> Any:
    match value:
        case Template():
            return _text(graph, value)
        case BaseModel():
            names = type(value).model_fields
            return value.model_copy(
                update={name: _replaced(graph, getattr(value, name)) for name in names}
            )
        case dict():
            return {key: _replaced(graph, item) for key, item in value.items()}
        case list():
            return [_replaced(graph, item) for item in value]
        case _:
            return value


def _text(graph: Graph, template: Template) -> str | Template:
    segments: list[str | Reference] = []
    for segment in template.segments:
        text = (
            repeated(graph, segment)
            if isinstance(segment, Reference) and segment.root == "steps"
            else None
        )
        match text:
            case None:
                segments.append(segment)
            case Template(segments=inner):
                segments.extend(inner)
            case _:
                segments.append(text)
    if all(isinstance(segment, str) for segment in segments):
        return "".join(map(str, segments))
    return Template(tuple(segments))
