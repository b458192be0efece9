"""Places in S3 are prefixes: no character of them is a wildcard, and no part leads up."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import BaseModel

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.graph.model import Graph
from pipelines.graph.uses import entries_of
from pipelines.spec.references import Template

_FREE = frozenset({"description", "display_name", "content_type", "values"})
"""Keys whose texts are the user's own."""

_WILDCARDS = ("*", "?")


def check(graph: Graph) -> Iterator[Finding]:
    """Warn of URIs that are meant as patterns or paths; the user's own arguments may be some."""
    given: list[tuple[Path, object]] = [(node.path, node.step) for node in graph.nodes.values()]
    given += [(("data", name), source) for name, source in graph.spec.data.items()]
    for path, model in given:
        for below, uri in _uris(model):
            found = next((one for one in _WILDCARDS if one in uri), None)
            if found is not None:
                yield Finding(
                    "SP130",
                    f"`{found}` is no wildcard here: keys in S3 may have that very character",
                    (*path, *below),
                    help="name the prefix that the objects have in common",
                    severity=Severity.WARNING,
                )
            dots = next((one for one in uri.split("/")[3:] if one in {".", ".."}), None)
            if dots is not None:
                yield Finding(
                    "SP130",
                    f"`{dots}` leads nowhere in S3: it is a part of the keys, which cannot be"
                    " files of this machine",
                    (*path, *below),
                    help="write the key without it",
                    severity=Severity.WARNING,
                )


def _uris(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the URIs below a model, with their paths; of mappings only those that hold models."""
    if isinstance(value, str | Template):
        segments = (value,) if isinstance(value, str) else value.segments
        text = "".join(one if isinstance(one, str) else "…" for one in segments)
        if text.startswith("s3://"):
            yield path, text
    for key, inner in entries_of(value):
        if not _is_free(value, key, inner):
            yield from _uris(inner, (*path, key))


def _is_free(value: object, key: str | int, inner: object) -> bool:
    if isinstance(value, BaseModel):
        return key in _FREE
    return isinstance(value, dict) and not isinstance(inner, BaseModel)
