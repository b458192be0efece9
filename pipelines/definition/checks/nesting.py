"""Checks which steps stand inside which."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.findings import error, warning
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding


def check(definition: Definition) -> Iterator[Finding]:
    """Yield steps that may not stand where they do, or of which it is not known."""
    for step in definition.steps:
        if step.branch is None or step.known is None:
            continue
        owner, path = step.branch.owner, (*step.path, "Type")
        if step.branch.repeats:
            if not step.known.in_body:
                message = f"a {step.type} step may not stand in the body of the ForEach `{owner}`"
                yield error("SP522", path, message)
        elif step.known.branches and sum(not branch.repeats for branch in step.within) == 1:
            yield warning(
                "SP513",
                path,
                f"`{step.name}` is a {step.type} in a branch of `{owner}`",
                "the guide says nested conditions are not supported; put both tests into one step",
            )
