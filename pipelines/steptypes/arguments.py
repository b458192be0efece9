"""All that is wrong with a step's arguments, as findings: shapes (SP410…) and limits (SP420…)."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from typing import Final

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.diagnostics.sentences import quoted
from pipelines.grammar.functions import is_function, with_parameters
from pipelines.json_types import Json
from pipelines.steptypes.limits import check_limits
from pipelines.steptypes.places import below
from pipelines.steptypes.shapes import ShapeProblem, check, shapes_of
from pipelines.steptypes.steptype import StepType

CODES: Final[Mapping[str, str]] = {
    "unknown-member": "SP410",
    "missing-member": "SP411",
    "wrong-type": "SP412",
    "not-in-enum": "SP413",
    "pattern": "SP414",
    "length": "SP415",
    "range": "SP415",
    "reference-type": "SP416",
}
"""Code of each kind of `ShapeProblem`."""

LIMIT: Final = "SP420"
QUOTA: Final = "SP421"


def check_arguments(
    step_type: StepType, arguments: Json, parameters: Mapping[str, str], prefix: Path = ()
) -> Iterator[Finding]:
    """Yield every finding on a step's `Arguments`.

    Args:
        step_type: the step's Type.
        arguments: its `Arguments`, functions and all.
        parameters: the pipeline's parameters, name → `String`, `Integer`, `Float`, `Boolean`.
        prefix: the path of the arguments in their document.
    """
    shapes = shapes_of(step_type)
    problems: list[ShapeProblem] = []
    if shapes.request is not None:
        problems += check(arguments, shapes.request, shapes, parameters)
    misspelt = {(*one.path[:-1], one.meant) for one in problems if one.meant is not None}
    for problem in (*problems, *_missing_choices(step_type, arguments, misspelt)):
        yield finding_of(_with_source(problem, step_type), prefix)
    broken = {one.path for one in problems if one.severity is Severity.ERROR}
    for limit in check_limits(step_type.limits, step_type.rules, arguments):
        if limit.path in broken:
            continue  # a mistake is reported once
        yield Finding(
            code=QUOTA if limit.quota else LIMIT,
            message=limit.message,
            path=(*prefix, *limit.path),
            help=limit.help,
            severity=Severity.WARNING if limit.quota else Severity.ERROR,
        )


def check_with(
    step_type: StepType,
    arguments: Json,
    parameters: Mapping[str, str],
    values: Mapping[str, Json],
    prefix: Path = (),
) -> Iterator[Finding]:
    """Yield what becomes wrong with a step's `Arguments` when parameters have these values.

    Args:
        step_type: the step's Type.
        arguments: its `Arguments`, functions and all.
        parameters: as for `check_arguments`, which finds what is wrong anyway.
        values: the values of parameters, by name.
        prefix: the path of the arguments in their document.
    """
    known = with_parameters(arguments, values)
    if known == arguments:
        return
    found = list(check_arguments(step_type, known, parameters, prefix))
    if not found:
        return
    before = check_arguments(step_type, arguments, parameters, prefix)
    anyway = {(one.path, one.severity) for one in before}
    for finding in found:
        if not anyway & {(finding.path, finding.severity), (finding.path, Severity.ERROR)}:
            yield finding


def _missing_choices(
    step_type: StepType, arguments: Json, misspelt: Collection[Path]
) -> Iterator[ShapeProblem]:
    """Yield structures without any of the members of which they need one, misspelt ones apart."""
    for where, choices in step_type.one_of:
        for path, value in below(arguments, where):
            if not isinstance(value, dict) or is_function(value):
                continue
            if all(value.get(n) is None and (*path, n) not in misspelt for n in choices):
                place = next((part for part in reversed(path) if isinstance(part, str)), None)
                holder = f"`{place}`" if place else f"the arguments of a {step_type.name} step"
                yield ShapeProblem(
                    path, "missing-member", f"{quoted(choices)} is missing in {holder}"
                )


def _with_source(problem: ShapeProblem, step_type: StepType) -> ShapeProblem:
    """Add to a limit where it comes from, unless there is other help."""
    request = step_type.request or ""
    if problem.help or problem.kind not in {"length", "range"} or request in step_type.own_shapes:
        return problem
    operation = request.removesuffix("Request").removesuffix("Input")
    return replace(problem, help=f"{operation} in the SageMaker API reference")


def finding_of(problem: ShapeProblem, prefix: Path) -> Finding:
    """Return a shape problem as a finding in a document."""
    return Finding(
        code=CODES[problem.kind],
        message=problem.message,
        path=(*prefix, *problem.path),
        at=problem.at,
        help=problem.help,
        severity=problem.severity,
    )
