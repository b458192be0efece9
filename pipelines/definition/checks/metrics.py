"""Checks the regular expressions that find a training job's metrics in its logs."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.findings import warning
from pipelines.definition.steps import Definition
from pipelines.diagnostics import Finding
from pipelines.grammar.patterns import exponential
from pipelines.steptypes.places import below


def check(definition: Definition) -> Iterator[Finding]:
    """Yield expressions that take exponential time on some line of a log."""
    for step in definition.steps:
        for place in step.known.metrics if step.known is not None else ():
            for path, expression in below(step.arguments, place):
                text = exponential(expression) if isinstance(expression, str) else None
                if text is not None:
                    yield warning(
                        "SP524",
                        (*step.path, "Arguments", *path),
                        f"`{expression}` takes exponential time on a line such as `{text}`",
                        "repeat nothing that is itself repeated or optional: `(a+)+b` is `a+b`",
                    )
