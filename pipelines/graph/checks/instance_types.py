"""Several instance types: beside what says otherwise, or such that no one image runs on all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph, Node
from pipelines.images.instances import first_unlike
from pipelines.spec.steps import JobStep

_INSTEAD: Final = ("instance_groups", "instance_configs")
"""Keys that stand for an `instance_type`, also for one of `defaults:`."""


def check(graph: Graph) -> Iterator[Finding]:
    """Find them in the jobs; what a parameter decides is left out."""
    shared = graph.spec.defaults.instance_type
    for node in graph.nodes.values():
        if isinstance(node.step, JobStep) and len(node.step.instance_types) > 1:
            yield from _unlike(node, node.step)
            if node.step.instance_type != shared:
                yield from _beside(node, node.step)


def _unlike(node: Node, step: JobStep) -> Iterator[Finding]:
    known = [one for one in step.instance_types if isinstance(one, str)]
    odd = first_unlike(known) if known else None
    if odd is not None:
        yield Finding("SP122", odd[0], (*node.path, "instance_type"), help=odd[1])


def _beside(node: Node, step: JobStep) -> Iterator[Finding]:
    for key in _INSTEAD:
        if getattr(step, key, None):
            message = f"several types cannot be used together with `{key}`"
            path = (*node.path, "instance_type")
            yield Finding("SP125", message, path, at="key", help="keep only one")
