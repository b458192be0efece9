"""Versions that are used where they are registered: nobody has approved them by then."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph

_APPROVED = "Approved"
_KEY = "version"
"""The key whose value a model is made of; others may hold the number of a version."""


def check(graph: Graph) -> Iterator[Finding]:
    """Find models of a version that the pipeline itself registers as not approved (FACTS 6)."""
    for node in graph.nodes.values():
        for use in node.uses if node.type.runs_model is not None else ():
            maker = graph.nodes.get(use.reference.name) if use.reference.root == "steps" else None
            is_model = use.path == (*node.path, _KEY)
            if maker is None or not maker.type.registers or not is_model:
                continue
            status = getattr(maker.step, "approval_status", None)
            if isinstance(status, str) and status != _APPROVED:
                yield Finding(
                    "SP130",
                    f"`{use.reference}` is registered as {status}: no model can be made of it",
                    use.path,
                    help=f"set `approval_status` of `{maker.name}` to Approved, or use its `model`",
                    within=use.within,
                )
