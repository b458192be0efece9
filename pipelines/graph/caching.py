"""Which steps may be cached: none whose input's content can change under its URI (decision 4)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from pipelines.diagnostics import Path
from pipelines.graph.model import Graph, Node
from pipelines.kinds.base.contract import Output
from pipelines.spec.references import Reference
from pipelines.spec.steps import Input


def cacheable(graph: Graph, node: Node) -> bool:
    """Return whether a step reads only what its cache key identifies."""
    return all(_fixed(graph, value) for value in _sources(node.step))


def _sources(value: Any) -> Iterator[Input]:
    """Yield the inputs of a step, wherever its model has them."""
    match value:
        case Input():
            yield value
        case BaseModel():
            for name in type(value).model_fields:
                yield from _sources(getattr(value, name))
        case dict():
            for item in value.values():
                yield from _sources(item)
        case _:
            pass


def _fixed(graph: Graph, source: Input) -> bool:
    if source.immutable:
        return True
    if isinstance(source.from_, str) or source.data_type == "ManifestFile":
        return False  # what a manifest names lies elsewhere
    reference = source.from_.only
    if reference is None:
        inner = source.from_.references
        return all(r.root == "steps" and _passed_on(graph, r) for r in inner)
    match reference.root:
        case "data":
            entry = graph.spec.data.get(reference.name)
            return entry is not None and (entry.path is not None or entry.immutable)
        case "steps":
            return _passed_on(graph, reference)
        case _:
            return False


def _passed_on(graph: Graph, reference: Reference) -> bool:
    """Look through an output that passes an input on; any other output is new in each run.

    A property may be anything, also the URI of an input: it counts as one that can change.
    """
    source = source_of(graph, reference)
    return _fixed(graph, source) if source is not None else _output(graph, reference) is not None


def source_of(graph: Graph, reference: Reference) -> Input | None:
    """Return the input that a step's output passes on; None for an output of its own."""
    output = _output(graph, reference)
    if output is None or output.gates is None:
        return None
    source = _at(graph.nodes[reference.name].step, output.gates[:-1])
    return source if isinstance(source, Input) else None


def _output(graph: Graph, reference: Reference) -> Output | None:
    node = graph.nodes.get(reference.name) if len(reference.parts) > 2 else None
    return node.outputs.get(str(reference.parts[2])) if node else None


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part] if isinstance(value, dict) else getattr(value, str(part))
    return value
