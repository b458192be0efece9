"""Names of inputs and outputs: no two that a job finds in one variable."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph


def check(graph: Graph) -> Iterator[Finding]:
    """Find names of one step that differ in what `SM_CHANNEL_` and `SM_OUT_` do not keep."""
    for node in graph.nodes.values():
        code = node.kind.needs(node.name, node.step).code
        if code is None:
            continue
        named = {"inputs": ("SM_CHANNEL_", tuple(getattr(node.step, "inputs", {})))}
        named["outputs"] = ("SM_OUT_", code.outputs)
        for key, (prefix, names) in named.items():
            first: dict[str, str] = {}
            for name in names:
                variable = prefix + re.sub("[^A-Z0-9]", "_", name.upper())
                other = first.setdefault(variable, name)
                if other != name:
                    yield Finding(
                        "SP130",
                        f"`{name}` and `{other}` are both `{variable}` in the job",
                        (*node.path, key, name),
                        at="key",
                        help="rename one",
                    )
