"""The topics of an asynchronous deployment are in the region of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph

_REGION = 3
_SNS = ("arn", "sns")


def check(graph: Graph) -> Iterator[Finding]:
    """Find topics that the endpoint cannot publish to."""
    aws = graph.spec.aws
    for node in graph.nodes.values() if aws is not None else ():
        notify = getattr(getattr(node.spec, "asynchronous", None), "notify", None)
        for key in ("success", "error") if notify is not None else ():
            parts = (getattr(notify, key) or "").split(":")
            if (parts[0], *parts[2:3]) == _SNS and aws and parts[_REGION] != aws.region:
                message = f"the topic is in {parts[_REGION]}, the endpoint in {aws.region}"
                advice = f"an endpoint reaches topics of its own region: name one in {aws.region}"
                path = (*node.path, "asynchronous", "notify", key)
                yield Finding("SP133", message, path, help=advice)
