"""Several instance types of a job that no one image runs on."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph
from pipelines.images.instances import first_unlike
from pipelines.spec.steps import JobStep


def check(graph: Graph) -> Iterator[Finding]:
    """Find lists that mix processors; what a parameter decides is left out."""
    for node in graph.nodes.values():
        if not isinstance(node.step, JobStep):
            continue
        known = [one for one in node.step.instance_types if isinstance(one, str)]
        odd = first_unlike(known) if known else None
        if odd is not None:
            yield Finding("SP122", odd[0], (*node.path, "instance_type"), help=odd[1])
