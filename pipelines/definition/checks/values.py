"""Checks the values that parameters may have by the members that they go into."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.steps import Definition
from pipelines.definition.values import KnownValues
from pipelines.diagnostics import Finding


def check(definition: Definition) -> Iterator[Finding]:
    """Yield where a default, or a listed value, does not fit what a step does with it."""
    known = KnownValues.of(definition.whole)
    for step in definition.steps:
        if step.known is not None:
            path = (*step.path, "Arguments")
            yield from known.check(step.known, step.arguments, path, conditional=step.conditional)
