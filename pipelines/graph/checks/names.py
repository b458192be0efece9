"""Names of inputs and outputs, which become folders, parts of S3 keys and variables of the job."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pipelines.diagnostics import Finding, Path
from pipelines.graph.model import Graph
from pipelines.spec.steps import JobStep, StepSpec

_NAME = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,64}")
"""ChannelName's pattern and length, without the names that lead out of the folder."""


def check(graph: Graph) -> Iterator[Finding]:
    """Find names that no folder of the job can have."""
    for node in graph.nodes.values():
        if not isinstance(node.step, JobStep):
            continue
        for name, below, at in _names(node.step):
            is_key = below[0] != "outputs"
            if is_key and ("${" in name or not name):  # said of all keys
                continue
            if not _NAME.fullmatch(name):
                yield Finding(
                    "SP127",
                    f"`{name}` is not a valid name of an {at}",
                    (*node.path, *below),
                    at="key" if is_key else "value",
                    help="1 to 64 letters, digits, `-`, `_` and `.`",
                )


def _names(step: StepSpec) -> Iterator[tuple[str, Path, str]]:
    """Yield names with their path below the step, and what they name."""
    for name in getattr(step, "inputs", {}):
        yield name, ("inputs", name), "input"
    for index, name in enumerate(getattr(step, "outputs", ())):
        yield name, ("outputs", index), "output"
    for name in getattr(step, "reports", {}):
        yield name, ("reports", name), "output"
