"""Steps → text: a tree for the terminal, a Mermaid flowchart or an SVG for documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from pipelines.definition.dependencies import Outlined
from pipelines.frozen import frozen
from pipelines.graph.model import Graph, Node
from pipelines.steptypes.steptype import Symbol

_SHAPES: Mapping[Symbol, tuple[str, str]] = {
    "process": ("[", "]"),
    "decision": ("{", "}"),
    "terminator": ("[[", "]]"),
    "store": ("([", "])"),
}


@frozen
class Box:
    """One step of a drawing.

    Args:
        name: its name.
        label: what stands behind the name: its kind, or its Type.
        symbol: its shape.
        sources: the steps that it waits for.
        owner: the step that it stands in, one of the sources; None at the top level.
        side: where in its owner it stands.
    """

    name: str
    label: str
    symbol: Symbol
    sources: tuple[str, ...]
    owner: str | None = None
    side: str = ""


@frozen
class Drawing:
    """What there is to draw: a title, and each step after what it waits for."""

    title: str
    boxes: Mapping[str, Box]


def of_graph(graph: Graph) -> Drawing:
    """Take the steps out of a spec's graph."""
    boxes = (_of_node(graph, graph.nodes[name]) for name in graph.order)
    return Drawing(graph.spec.pipeline, {box.name: box for box in boxes})


def _of_node(graph: Graph, node: Node) -> Box:
    sources = tuple(dict.fromkeys(edge.source for edge in node.edges))
    box = Box(node.name, node.spec.kind, node.type.symbol, sources)
    if node.branch is None:
        return box
    owner = node.branch.condition if node.branch.condition in graph.nodes else None
    return Box(box.name, box.label, box.symbol, sources, owner, node.branch.side)


def of_definition(title: str, steps: Iterable[Outlined]) -> Drawing:
    """Take the steps out of a definition."""
    return Drawing(title, {one.step.name: _of_step(one) for one in steps})


def _of_step(outlined: Outlined) -> Box:
    step = outlined.step
    symbol: Symbol = "process" if step.known is None else step.known.symbol
    box = Box(step.name, step.type, symbol, outlined.waits_for)
    if step.branch is None:
        return box
    return replace(box, owner=step.branch.owner, side=step.branch.nested.word)


def tree(drawing: Drawing) -> str:
    """Draw each step below the last one it waits for; further ones stand behind an arrow."""
    order = list(drawing.boxes)
    children: dict[str | None, list[str]] = {}
    for name, box in drawing.boxes.items():
        parent = box.owner or max(box.sources, key=order.index, default=None)
        children.setdefault(parent, []).append(name)
    return "\n".join((drawing.title, *_below(drawing, children, None, "")))


def mermaid(drawing: Drawing) -> str:
    """Draw a Mermaid flowchart."""
    identifiers = {name: f"s{index}" for index, name in enumerate(drawing.boxes)}
    lines = ["flowchart TD"]
    for name, box in drawing.boxes.items():
        opening, closing = _SHAPES[box.symbol]
        label = f"{name}<br/><small>{box.label}</small>"
        lines.append(f'    {identifiers[name]}{opening}"{label}"{closing}')
    for name, box in drawing.boxes.items():
        for source in box.sources:
            arrow = f"-->|{box.side}|" if source == box.owner else "-->"
            lines.append(f"    {identifiers[source]} {arrow} {identifiers[name]}")
    return "\n".join(lines)


def svg(drawing: Drawing) -> str:
    """Draw an SVG as the page of an execution has it."""
    from pipelines.results.page.dag import DrawnStep, draw_alone  # noqa: PLC0415 - only for SVG

    return draw_alone([
        DrawnStep(
            box.name,
            box.sources,
            f"{box.side}: {box.label}" if box.side else box.label,
            box.label,
            is_decision=box.symbol == "decision",
        )
        for box in drawing.boxes.values()
    ])  # fmt: skip


def _below(
    drawing: Drawing, children: dict[str | None, list[str]], parent: str | None, indent: str
) -> Iterator[str]:
    names = children.get(parent, [])
    for name in names:
        last = name == names[-1]
        yield f"{indent}{'└─' if last else '├─'} {_line(drawing, drawing.boxes[name], parent)}"
        yield from _below(drawing, children, name, indent + ("   " if last else "│  "))


def _line(drawing: Drawing, box: Box, parent: str | None) -> str:
    side = f"{box.side}: " if box.side else ""
    others = [name for name in drawing.boxes if name in box.sources and name != parent]
    also = f"  ← {', '.join(others)}" if others else ""
    return f"{side}{box.name} ({box.label}){also}"
