"""Checks arguments and the keys that only some Types have against the Type's shapes and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from pipelines.definition.steps import STEP_KEYS, Definition, Step
from pipelines.diagnostics import Finding, Path
from pipelines.steptypes import StepType
from pipelines.steptypes.arguments import check_arguments, finding_of
from pipelines.steptypes.shapes import check as check_shape
from pipelines.steptypes.shapes import shapes_of


def check(definition: Definition) -> Iterator[Finding]:
    """Yield what the shapes and limits of known Types say."""
    for step in definition.steps:
        if step.known is not None:
            yield from _check_step(definition, step, step.known)


def _check_step(definition: Definition, step: Step, step_type: StepType) -> Iterator[Finding]:
    shapes = shapes_of(step_type)
    for key in step_type.step_keys:
        value = step.whole.get(key.name)
        for problem in check_shape(value, shapes.get(key.shape), shapes, definition.parameters):
            yield finding_of(problem, (*step.path, key.name))
    if isinstance(step.whole.get("Arguments"), dict):
        path = (*step.path, "Arguments")
        for finding in check_arguments(step_type, step.arguments, definition.parameters, path):
            yield _belonging_beside(finding, step_type, path)


def _belonging_beside(finding: Finding, step_type: StepType, arguments: Path) -> Finding:
    """Add to an unknown argument that is a key of the step where it belongs."""
    key, own = finding.path[-1], {key.name for key in step_type.step_keys}
    if finding.at != "key" or finding.path[:-1] != arguments or key not in {*STEP_KEYS, *own}:
        return finding
    return replace(finding, help=f"`{key}` belongs beside `Arguments`, not into them")
