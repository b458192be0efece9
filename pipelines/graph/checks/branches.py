"""Branches of conditions: known members, one branch per step, no way in from outside."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import listed
from pipelines.graph.model import Edge, Graph, Node, SpecBranch

_KEYS = (("then", "then"), ("else", "else_"))


def check(graph: Graph) -> Iterator[Finding]:
    """Find members that are not there or stand twice, nested conditions, and crossing edges."""
    taken: dict[str, SpecBranch] = {}
    for node in graph.nodes.values():
        for side, key in _KEYS:
            for index, member in enumerate(getattr(node.step, key, ())):
                path = (*node.path, side, index)
                here = SpecBranch(node.name, "then" if side == "then" else "else")
                yield from _member(graph, member, path, taken.get(member))
                taken.setdefault(member, here)
    for node in graph.nodes.values():
        for edge in node.edges:
            yield from _crossing(graph, node, edge)


def _member(
    graph: Graph, member: str, path: tuple[str | int, ...], taken: SpecBranch | None
) -> Iterator[Finding]:
    if member not in graph.declared:
        known = sorted(graph.declared)
        close = nearest(member, known)
        advice = f"did you mean `{close}`?" if close else f"steps: {listed(known, '')}"
        yield Finding("SP204", f"there is no step `{member}`", path, help=advice)
        return
    if taken is not None:
        message = f"`{member}` is already in `{taken.side}` of `{taken.condition}`"
        yield Finding("SP207", message, path, help="a step can be in one branch only")
    node = graph.nodes.get(member)
    if node is not None and node.type.branches:
        yield Finding(
            "SP208",
            f"the condition `{member}` is in a branch of another condition",
            path,
            help="SageMaker does not support nested conditions: join them with `and`",
        )


def _crossing(graph: Graph, node: Node, edge: Edge) -> Iterator[Finding]:
    source = graph.nodes.get(edge.source)
    if source is None or source.branch is None or source.branch == node.branch:
        return
    branch = source.branch
    if node.name == branch.condition or (node.branch and node.branch.condition == edge.source):
        return
    where = f"`{branch.side}` of `{branch.condition}`"
    message = f"`{node.name}` needs `{edge.source}`, which only runs in {where}"
    if node.branch is None:
        key = dict(_KEYS)[branch.side]
        written = getattr(graph.nodes[branch.condition].step, key)
        members = [*(member for member in written if member in graph.declared), node.name]
        advice = f"write `{branch.side}: [{', '.join(members)}]` in step `{branch.condition}`"
    else:
        own = f"`{node.branch.side}` of `{node.branch.condition}`"
        advice = f"`{node.name}` is in {own}: refer to steps of that branch or of none"
    yield Finding("SP209", message, edge.path, help=advice, within=edge.within)
