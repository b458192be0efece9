"""Checks that property files name outputs of their step, each name once."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.findings import error
from pipelines.definition.steps import Definition, Step
from pipelines.diagnostics import Finding
from pipelines.diagnostics.sentences import suggestion
from pipelines.steptypes import StepType
from pipelines.steptypes.places import below


def check(definition: Definition) -> Iterator[Finding]:
    """Yield property files that name no output, or stand there twice."""
    for step in definition.steps:
        if "PropertyFiles" in step.whole and step.known is not None:
            yield from _check_step(step, step.known)


def _check_step(step: Step, step_type: StepType) -> Iterator[Finding]:
    files = step.whole["PropertyFiles"]
    outputs = _output_names(step, step_type)
    seen: set[str] = set()
    for index, file in enumerate(files if isinstance(files, list) else []):
        if not isinstance(file, dict):
            continue
        path = (*step.path, "PropertyFiles", index)
        output, name = file.get("OutputName"), file.get("PropertyFileName")
        if outputs is not None and isinstance(output, str) and output not in outputs:
            yield error(
                "SP511",
                (*path, "OutputName"),
                f"`{step.name}` has no output `{output}`",
                suggestion(output, outputs),
            )
        if isinstance(name, str):
            if name in seen:
                message = f"there are two property files `{name}`"
                yield error("SP511", (*path, "PropertyFileName"), message)
            seen.add(name)


def _output_names(step: Step, step_type: StepType) -> dict[str, None] | None:
    """Return the names of a step's outputs; None where one is not known yet."""
    found: dict[str, None] = {}
    for data in step_type.outputs:
        for _, output in below(step.arguments, data.at):
            name = output.get(data.named_by) if isinstance(output, dict) else None
            if not isinstance(name, str):
                return None
            found[name] = None
    return found
