"""Data on EFS and FSx: a file system has no URI, only a training channel can mount it."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph, Node
from pipelines.graph.uses import Use
from pipelines.spec.references import Template

_OF_OBJECTS: dict[str, object] = {
    "data_type": "S3Prefix",
    "distribution": "FullyReplicated",
    "instance_group_names": [],
    "record_wrapper_type": "None",
    "shuffle_seed": None,
}
"""The keys of an input that are for objects in S3, and their usual values."""


def check(graph: Graph) -> Iterator[Finding]:
    """Find references to file systems outside of training channels."""
    systems = {n for n, d in graph.spec.data.items() if d.efs is not None or d.fsx is not None}
    for node in graph.nodes.values():
        for use in node.uses:
            of_data = use.reference.root == "data"
            if of_data and use.reference.name in systems and not _is_channel(node, use):
                yield Finding(
                    "SP213",
                    f"`{use.reference}` is a file system, which has no URI",
                    use.path,
                    help="only an input of a training step can mount it, alone in its `from`",
                    within=use.within,
                )
        yield from _only_of_s3(node, systems)


def _only_of_s3(node: Node, systems: set[str]) -> Iterator[Finding]:
    """Find keys of a channel that say how objects are read: the service would know none of them."""
    for use in node.uses:
        if use.reference.name not in systems or not _is_channel(node, use):
            continue
        channel = node.step.inputs[use.path[3]]
        for key, usual in _OF_OBJECTS.items():
            if getattr(channel, key) != usual:
                yield Finding(
                    "SP130",
                    f"`{key}` is for objects, and `{use.reference}` is a file system",
                    (*use.path[:4], key),
                    at="key",
                    help="remove it: every host sees the whole folder (FileSystemDataSource)",
                )


def _is_channel(node: Node, use: Use) -> bool:
    if not node.step.has_channels or use.path[2:3] != ("inputs",):
        return False
    source = node.step.inputs[use.path[3]].from_
    return isinstance(source, Template) and source.only is not None
