"""`aws.vpc` and a serverless deployment exclude each other."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding, Severity
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find serverless deployments whose models would get the pipeline's VPC."""
    aws = graph.spec.aws
    if aws is None or aws.vpc is None:
        return
    for node in graph.nodes.values():
        if getattr(node.spec, "serverless", None) is not None and node.spec.kind == "deployment":
            message = "a serverless endpoint cannot stand with `aws.vpc`: its model has no network"
            advice = (
                "use `realtime:` or `asynchronous:`, or remove `aws.vpc`"
                " (SageMaker developer guide, serverless endpoints)"
            )
            place = (*node.path, "serverless")
            yield Finding("SP420", message, place, "key", advice, severity=Severity.WARNING)
