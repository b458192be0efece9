"""PipelineSpec → Graph and the findings of all semantic checks."""

from __future__ import annotations

import functools
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path

from pipelines import kinds
from pipelines.diagnostics import Finding
from pipelines.diagnostics import Path as DocumentPath
from pipelines.frozen import frozen
from pipelines.grammar.functions import Value
from pipelines.graph.model import Edge, Graph, Node, SpecBranch
from pipelines.graph.resolve import Resolver, StepOutputs, UnresolvedError
from pipelines.graph.uses import Use, uses_in
from pipelines.spec.model import PipelineSpec


@frozen
class Built:
    """A graph and what is wrong with it; with an error among the findings it is not compiled."""

    graph: Graph
    findings: tuple[Finding, ...]


def build(
    spec: PipelineSpec, declared: Iterable[str], unread: frozenset[DocumentPath] = frozenset()
) -> Built:
    """Build the graph of a spec.

    Args:
        spec: the pipeline, possibly without what could not be read.
        declared: the names of all steps of the document.
        unread: what could not be read.
    """
    graph = assemble(spec, declared, unread)
    unresolved = [*_unresolved_data(graph), *_unresolved(graph)]
    return Built(graph, (*unresolved, *_beside(unresolved, _checked(graph))))


def assemble(
    spec: PipelineSpec, declared: Iterable[str], unread: frozenset[DocumentPath] = frozenset()
) -> Graph:
    """Return the graph of a spec, as `build` does, without looking for what is wrong with it."""
    branches = _branches(spec)
    nodes = {name: _node(spec, name, branches) for name in spec.steps}
    return Graph(spec, nodes, _order(nodes), frozenset(declared), unread)


def resolver(graph: Graph, data: Mapping[str, Value]) -> Resolver:
    """Make the resolver of a graph's references; `data` holds the URI of every data entry."""
    steps = {n.name: StepOutputs(n.type, n.outputs) for n in graph.nodes.values()}
    return Resolver(graph.spec.parameters, data, steps, graph.unread)


def _checked(graph: Graph) -> Iterator[Finding]:
    yield from _kind_checks(graph.nodes.values())
    for check in _checks():
        yield from check(graph)


def _beside(unresolved: Iterable[Finding], found: Iterable[Finding]) -> Iterator[Finding]:
    """Leave out what is found of references that refer to nothing: each is one mistake."""
    places = {(finding.path, finding.within) for finding in unresolved}
    return (finding for finding in found if (finding.path, finding.within) not in places)


@functools.cache
def _checks() -> tuple[Callable[[Graph], Iterator[Finding]], ...]:
    """Return the `check` of each module of `checks/`."""
    files = (Path(__file__).parent / "checks").glob("[!_]*.py")
    names = sorted(f"{__package__}.checks.{file.stem}" for file in files)
    return tuple(import_module(name).check for name in names)


def _branches(spec: PipelineSpec) -> dict[str, SpecBranch]:
    branches: dict[str, SpecBranch] = {}
    for name, step in spec.steps.items():
        for side, key in (("then", "then"), ("else", "else_")):
            for member in getattr(step, key, ()):
                branches.setdefault(member, SpecBranch(name, "then" if side == "then" else "else"))
    return branches


def _node(spec: PipelineSpec, name: str, branches: Mapping[str, SpecBranch]) -> Node:
    step = spec.steps[name]
    kind = kinds.find(step.kind)
    if kind is None:
        message = f"the loader let an unknown kind pass: {step.kind}"
        raise AssertionError(message)
    path = ("steps", name)
    uses = tuple(uses_in(step, path))
    return Node(
        name,
        kind,
        step,
        uses,
        tuple(_edges(spec, name, uses, branches.get(name))),
        branches.get(name),
        kind.outputs(name, step),
    )


def _edges(
    spec: PipelineSpec, name: str, uses: Iterable[Use], branch: SpecBranch | None
) -> Iterator[Edge]:
    for use in uses:
        if use.reference.root == "steps" and use.reference.name in spec.steps:
            yield Edge(use.reference.name, use.path, use.within)
    for source in spec.steps[name].after:
        if source in spec.steps:
            yield Edge(source, ("steps", name, "after", source))
    if branch is not None and branch.condition in spec.steps:
        yield Edge(branch.condition, ("steps", branch.condition, branch.side))


def _order(nodes: Mapping[str, Node]) -> tuple[str, ...]:
    """Order the steps by what they wait for, ties in the document's order."""
    names = tuple(nodes)
    waiting: list[int] = []
    followers: dict[str, list[int]] = {}
    for position, node in enumerate(nodes.values()):
        sources = {edge.source for edge in node.edges}
        waiting.append(len(sources))
        for source in sources:
            followers.setdefault(source, []).append(position)
    ready = [position for position, sources_left in enumerate(waiting) if not sources_left]
    order: list[str] = []
    while ready:
        name = names[heapq.heappop(ready)]
        order.append(name)
        for follower in followers.get(name, ()):
            waiting[follower] -= 1
            if not waiting[follower]:
                heapq.heappush(ready, follower)
    return tuple(order)


def _unresolved_data(graph: Graph) -> Iterator[Finding]:
    """Find what `data:` cannot refer to: its entries are read where no step has run yet."""
    resolve = resolver(graph, {})
    for name, source in graph.spec.data.items():
        for use in uses_in(source, ("data", name)):
            if use.reference.root in ("data", "steps"):
                problem = f"an entry of `data:` cannot refer to `{use.reference}`"
                advice = "refer to it in the step that reads it"
                yield Finding("SP203", problem, use.path, help=advice, within=use.within)
            else:
                yield from _unresolved_use(graph, use, resolve)


def _unresolved(graph: Graph) -> Iterator[Finding]:
    resolve = resolver(graph, dict.fromkeys(graph.spec.data, "s3://"))
    for node in graph.nodes.values():
        for use in node.uses:
            yield from _unresolved_use(graph, use, resolve)


def _unresolved_use(graph: Graph, use: Use, resolve: Resolver) -> Iterator[Finding]:
    parts = use.reference.parts
    if parts[:1] in graph.unread or parts[:2] in graph.unread:
        return
    try:
        resolve.reference(use.reference)
    except UnresolvedError as error:
        yield Finding(error.code, error.problem, use.path, help=error.help, within=use.within)


def _kind_checks(nodes: Iterable[Node]) -> Iterator[Finding]:
    for node in nodes:
        for finding in node.kind.checks(node.step):
            yield Finding(
                finding.code,
                finding.message,
                (*node.path, *finding.path),
                finding.at,
                finding.help,
                finding.severity,
                finding.within,
            )
