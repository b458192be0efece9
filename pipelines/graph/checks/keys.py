"""Keys of a step's mappings: none is empty, nor a reference, since only values are resolved."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from pipelines.diagnostics import Finding, Path
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find keys that would go to the job as they stand, and mean nothing there."""
    for node in graph.nodes.values():
        for path in _keys(node.step):
            if not path[-1]:
                message = f"`{path[-2]}` has an empty key"
                yield Finding("SP127", message, (*node.path, *path), at="key", help="name it")
            elif "${" in str(path[-1]):
                yield Finding(
                    "SP124",
                    f"the key `{path[-1]}` cannot hold a reference",
                    (*node.path, *path),
                    at="key",
                    help="write the key out: only values hold references",
                )


def _keys(value: object) -> Iterator[Path]:
    """Yield the path of every key of the mappings in a model."""
    entries = value.__dict__ if isinstance(value, BaseModel) else value
    if not isinstance(entries, dict):
        return
    for key, inner in entries.items():
        if isinstance(value, dict):
            yield (key,)
        yield from ((key, *below) for below in _keys(inner))
