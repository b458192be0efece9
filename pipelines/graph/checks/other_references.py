"""References in the notation of other tools, which are plain texts here."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pydantic import BaseModel

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.graph.model import Graph
from pipelines.graph.uses import entries_of
from pipelines.spec.references import Template

_BRACES: Final = re.compile(
    r"\{\{\s*(?P<path>(?:data|env|execution|parameters|steps)\.[\w.\[\]'-]+)\s*\}\}"
)
_WHOLE: Final = re.compile(r"\$?(?P<path>(?P<root>data|parameters|steps)\.(?P<name>[\w-]+)[\w.-]*)")
_FREE: Final = frozenset({"description", "display_name", "if", "kind"})


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
    for key, inner in entries_of(value):
        if not (isinstance(value, BaseModel) and key in _FREE):
            yield from _texts(inner, (*path, key))
