"""References in the notation of other tools, which are plain texts here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.graph.model import Graph
from pipelines.spec.references import Template

_BRACES: Final = re.compile(
    r"\{\{\s*(?P<path>(?:data|env|execution|parameters|steps)\.[\w.\[\]'-]+)\s*\}\}"
)
_WHOLE: Final = re.compile(r"\$?(?P<path>(?P<root>data|parameters|steps)\.(?P<name>[\w-]+)[\w.-]*)")
_FREE: Final = frozenset({"description", "display_name", "if_", "kind"})


def check(graph: Graph) -> Iterator[Finding]:
    """Warn of texts that were probably meant to be references."""
    known = {
        "data": graph.spec.data.keys(),
        "parameters": graph.spec.parameters.keys(),
        "steps": graph.nodes.keys(),
    }
    for node in graph.nodes.values():
        for below, text in _texts(node.step):
            found = _BRACES.search(text) or _WHOLE.fullmatch(text)
            if found is not None and (found.re is _BRACES or found["name"] in known[found["root"]]):
                yield Finding(
                    "SP201",
                    f"`{found[0]}` is a text here, not a reference",
                    (*node.path, *below),
                    help=f"write `${{{found['path']}}}`",
                    severity=Severity.WARNING,
                )


def _texts(value: object, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield the texts below a value, and those between its references."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Template):
        yield from ((path, part) for part in value.segments if isinstance(part, str))
    for key, inner in _entries(value):
        yield from _texts(inner, (*path, key))


def _entries(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if name not in _FREE:
                yield field.alias or name, getattr(value, name)
    elif isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from value.items()
