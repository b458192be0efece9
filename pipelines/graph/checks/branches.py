"""Branches of conditions: known members, one branch per step, no way in from outside."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import listed
from pipelines.graph.model import Edge, Graph, Node, SpecBranch

_KEYS = (("then", "then"), ("else", "else_"))
_MOST_SHOWN = 12


def check(graph: Graph) -> Iterator[Finding]:
    """Find members that are not there or stand twice, nested conditions, and crossing edges."""
    taken: dict[str, SpecBranch] = {}
    declared = sorted(graph.declared)
    for node in graph.nodes.values():
        for side, key in _KEYS:
            for index, member in enumerate(getattr(node.step, key, ())):
                path = (*node.path, side, index)
                here = SpecBranch(node.name, "then" if side == "then" else "else")
                if member in graph.declared:
                    yield from _member(graph, member, path, taken.get(member))
                else:
                    yield _unknown(member, path, declared)
                taken.setdefault(member, here)
    for node in graph.nodes.values():
        for edge in node.edges:
            yield from _crossing(graph, node, edge)


def _unknown(member: str, path: Path, declared: list[str]) -> Finding:
    close = nearest(member, declared)
    advice = f"did you mean `{close}`?" if close else f"steps: {listed(declared, '')}"
    return Finding("SP204", f"there is no step `{member}`", path, help=advice)


def _member(graph: Graph, member: str, path: Path, taken: SpecBranch | None) -> Iterator[Finding]:
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
        advice = _with_member(graph, branch, node.name)
    else:
        own = f"`{node.branch.side}` of `{node.branch.condition}`"
        advice = f"`{node.name}` is in {own}: refer to steps of that branch or of none"
    yield Finding("SP209", message, edge.path, help=advice, within=edge.within)


def _with_member(graph: Graph, branch: SpecBranch, name: str) -> str:
    """Show the side of a condition with a step added; of a long list only what is to be added."""
    written = getattr(graph.nodes[branch.condition].step, dict(_KEYS)[branch.side])
    if len(written) > _MOST_SHOWN:
        return f"add `{name}` to `{branch.side}` of step `{branch.condition}`"
    members = [*(member for member in written if member in graph.declared), name]
    return f"write `{branch.side}: [{', '.join(members)}]` in step `{branch.condition}`"
