"""Checks that what a step needs can have run when the step does."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.dependencies import Dependency, dependencies
from pipelines.definition.findings import error, warning
from pipelines.definition.steps import Branch, Definition, Step
from pipelines.diagnostics import Finding


def check(definition: Definition) -> Iterator[Finding]:
    """Yield where a step needs a step that never runs with it, or may not run."""
    for step in definition.steps:
        for dependency in dependencies(step):
            target = definition.named.get(dependency.step)
            if target is not None and target.within != step.within[: len(target.within)]:
                yield _finding(step, target, dependency)


def _finding(step: Step, target: Step, dependency: Dependency) -> Finding:
    branch, other = _parting(target.within, step.within)
    place, name = dependency.path, dependency.step
    if other is not None and other.owner == branch.owner:
        return error(
            "SP520",
            place,
            f"`{step.name}` needs `{name}`, which stands in the other branch of `{branch.owner}`",
            "only one branch runs; move one of the two steps",
        )
    if branch.repeats:
        return error(
            "SP520",
            place,
            f"`{name}` stands in the body of `{branch.owner}` and cannot be read from outside",
            f"read `Steps.{branch.owner}.IterationOutputs[0].{name}.<member>`",
        )
    return warning(
        "SP520",
        place,
        f"`{step.name}` needs `{name}`, which only runs when `{branch.owner}` takes "
        f"`{branch.argument}`",
        f"move `{step.name}` into that branch",
    )


def _parting(target: tuple[Branch, ...], step: tuple[Branch, ...]) -> tuple[Branch, Branch | None]:
    """Return the outermost branches that two steps do not share; the second may have no more."""
    common = 0
    while common < len(step) and target[common] == step[common]:
        common += 1
    return target[common], step[common] if common < len(step) else None
