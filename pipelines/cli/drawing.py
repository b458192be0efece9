"""Graph → text: a tree for the terminal, a Mermaid flowchart for documents."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.graph.model import Graph, Node

_SHAPES = {"Condition": ("{", "}"), "Fail": ("[[", "]]"), "RegisterModel": ("([", "])")}


def tree(graph: Graph) -> str:
    """Draw each step below the last one it waits for; further ones stand behind an arrow."""
    children: dict[str | None, list[str]] = {}
    for name in graph.order:
        children.setdefault(_parent(graph, graph.nodes[name]), []).append(name)
    lines = [graph.spec.pipeline]
    lines.extend(_below(graph, children, None, ""))
    return "\n".join(lines)


def mermaid(graph: Graph) -> str:
    """Draw a Mermaid flowchart."""
    identifiers = {name: f"s{index}" for index, name in enumerate(graph.order)}
    lines = ["flowchart TD"]
    for name in graph.order:
        node = graph.nodes[name]
        opening, closing = _SHAPES.get(node.kind.type, ("[", "]"))
        label = f"{name}<br/><small>{node.spec.kind}</small>"
        lines.append(f'    {identifiers[name]}{opening}"{label}"{closing}')
    for name in graph.order:
        node = graph.nodes[name]
        for source in _sources(node):
            arrow = "-->"
            if node.branch is not None and node.branch.condition == source:
                arrow = f"-->|{node.branch.side}|"
            lines.append(f"    {identifiers[source]} {arrow} {identifiers[name]}")
    return "\n".join(lines)


def _sources(node: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(edge.source for edge in node.edges))


def _parent(graph: Graph, node: Node) -> str | None:
    if node.branch is not None and node.branch.condition in graph.nodes:
        return node.branch.condition
    sources = _sources(node)
    return max(sources, key=graph.order.index) if sources else None


def _below(
    graph: Graph, children: dict[str | None, list[str]], parent: str | None, indent: str
) -> Iterator[str]:
    names = children.get(parent, [])
    for name in names:
        last = name == names[-1]
        yield f"{indent}{'└─' if last else '├─'} {_label(graph, graph.nodes[name], parent)}"
        yield from _below(graph, children, name, indent + ("   " if last else "│  "))


def _label(graph: Graph, node: Node, parent: str | None) -> str:
    side = f"{node.branch.side}: " if node.branch is not None else ""
    others = [s for s in _sources(node) if s != parent]
    others.sort(key=graph.order.index)
    also = f"  ← {', '.join(others)}" if others else ""
    return f"{side}{node.name} ({node.spec.kind}){also}"
