"""The topics of an asynchronous deployment are in the region of its endpoint."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find topics that the endpoint cannot publish to."""
    aws = graph.spec.aws
    for node in graph.nodes.values() if aws is not None else ():
        notify = getattr(getattr(node.spec, "asynchronous", None), "notify", None)
        for key in ("success", "error") if notify is not None else ():
            region = _region(getattr(notify, key) or "")
            if aws and region is not None and region != aws.region:
                message = f"the topic is in {region}, the endpoint in {aws.region}"
                advice = f"an endpoint reaches topics of its own region: name one in {aws.region}"
                path = (*node.path, "asynchronous", "notify", key)
                yield Finding("SP133", message, path, help=advice)


def _region(topic: str) -> str | None:
    """Return the region of a topic; None of what is no ARN of one, which its pattern says."""
    match topic.split(":"):
        case ["arn", _, "sns", region, _, _]:
            return region
        case _:
            return None
