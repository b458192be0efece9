"""What needs a network in a job without one: nothing can be installed or logged there."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding, Severity
from pipelines.graph.model import Graph
from pipelines.spec.steps import JobStep


def check(graph: Graph) -> Iterator[Finding]:
    """Find isolated jobs whose requirements come from a package index, or that log to a server."""
    for node in graph.nodes.values():
        step = node.step
        if not isinstance(step, JobStep) or not step.enable_network_isolation:
            continue
        code = node.kind.needs(node.name, step).code
        if code is not None and ((code.tracking or {}).get("mlflow") or {}).get("arn"):
            yield Finding(
                "SP130",
                f"`{node.name}` has no network to log to MLflow with",
                (*node.path, "mlflow"),
                at="key",
                help="remove `enable_network_isolation`, or write `mlflow: local`",
                severity=Severity.WARNING,
            )
        given = step.requirements
        if given is not None and given.mode == "index":
            yield Finding(
                "SP130",
                f"`{node.name}` has no network to install `{given.file}` with",
                (*node.path, "requirements"),
                help="use `mode: wheels`, or remove `enable_network_isolation`",
            )
        elif code is not None and code.requirements:
            yield Finding(
                "SP130",
                f"`{node.name}` has no network to install {code.requirements[0]} with",
                (*node.path, "enable_network_isolation"),
                at="key",
                help="remove `enable_network_isolation`",
            )
