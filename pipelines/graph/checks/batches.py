"""Batches: their history is their own, and their schedules can start them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pipelines.diagnostics import Finding
from pipelines.graph.checks.automation import of_schedule
from pipelines.graph.model import Graph, Node
from pipelines.graph.resources import names_made
from pipelines.spec.names import schedule_name, standing_alone

if TYPE_CHECKING:
    from pipelines.spec.automation import Schedule


def check(graph: Graph) -> Iterator[Finding]:
    """Find batches that share results or a history, and schedules that cannot start one."""
    owners: dict[tuple[str, str], str] = {}
    for node in graph.nodes.values():
        block = getattr(node.step, "block", None)
        if block is None:
            continue
        place = (str(block.input.from_), str(block.output).rstrip("/"))
        if owners.setdefault(place, node.name) != node.name:
            message = f"`{owners[place]}` writes the results of the same input there, too"
            at, advice = (*node.path, "batch", "output"), "give each batch an output of its own"
            yield Finding("SP216", message, at, help=advice)
        if node.name in names_made(graph.spec, "endpoint"):
            message = f"`{node.name}` is also an endpoint: both would keep their history there"
            yield Finding("SP127", message, node.path, "key", "give the step another name")
        schedule = getattr(node.step, "schedule", None)
        if schedule is not None:
            yield from _of_schedule(graph, node, schedule)


def _of_schedule(graph: Graph, node: Node, schedule: Schedule) -> Iterator[Finding]:
    path = (*node.path, "schedule")
    pipeline = standing_alone(graph.spec.pipeline, node.name)
    used = {use.reference.name for use in node.uses if use.reference.root == "parameters"}
    parameters = {name: one for name, one in graph.spec.parameters.items() if name in used}
    yield from of_schedule(pipeline, schedule, parameters, path)
    for name in graph.spec.schedule:
        if schedule_name(graph.spec.pipeline, name) == pipeline:
            message = f"the schedule `{name}` of the pipeline has the same name in the account"
            yield Finding("SP132", message, path, "key", f"rename the schedule `{name}`")
