"""Checks for arguments that the API has and a pipeline does not take."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.findings import error_on_key
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding


def check(definition: Definition) -> Iterator[Finding]:
    """Yield members of requests that are not part of a step's arguments."""
    for step in definition.steps:
        for member in step.known.refused if step.known is not None else ():
            if step.arguments.get(member) is not None:
                message = f"a pipeline refuses `{member}` in the arguments of `{step.type}` steps"
                path = (*step.path, "Arguments", member)
                yield error_on_key("SP525", path, message, "remove it")
