"""Runs every check over a definition and gathers what they find."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.compile.definition.conditions import check_nesting
from pipelines.compile.definition.functions import Reference, functions_in, functions_of_step
from pipelines.compile.definition.model import Definition, Entry, error, take_apart
from pipelines.compile.definition.order import check_cycles
from pipelines.compile.definition.policies import dependencies
from pipelines.compile.definition.references import check_branch, check_reference, step_of
from pipelines.compile.definition.steps import check_step
from pipelines.compile.definition.top import check_top
from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json
from pipelines.steptypes.nearest import did_you_mean


def check_definition(definition: Json) -> list[Finding]:
    """Return everything that is wrong with a pipeline definition, ours or anybody's.

    Args:
        definition: the parsed JSON; the paths of the findings lead into it.
    """
    if not isinstance(definition, dict):
        return [error("SP501", (), "a definition has to be an object")]
    parts = take_apart(definition)
    findings = list(check_top(parts))
    steps = definition.get("Steps")
    for index, step in enumerate(steps if isinstance(steps, list) else []):
        if not isinstance(step, dict):
            findings.append(error("SP504", ("Steps", index), "a step has to be an object"))
    for key in ("PipelineExperimentConfig", "MlflowConfig"):
        for found in functions_in(definition.get(key), (key,)):
            findings.extend(_findings_of(parts, found, None))
    needs: dict[str, dict[str, Path]] = {}
    for entry in parts.entries:
        findings.extend(check_step(parts, entry))
        findings.extend(check_nesting(entry))
        findings.extend(_check_needs(parts, entry, needs.setdefault(entry.name, {})))
    findings.extend(check_cycles(needs))
    return findings


def _findings_of(
    definition: Definition, found: Finding | Reference, entry: Entry | None
) -> Iterator[Finding]:
    if isinstance(found, Finding):
        yield found
    else:
        yield from check_reference(definition, found, entry)


def _check_needs(definition: Definition, entry: Entry, needs: dict[str, Path]) -> Iterator[Finding]:
    """Yield what is wrong with a step's references; gather what it waits for in `needs`."""
    places: list[tuple[str, Path]] = list(dependencies(entry))
    for found in functions_of_step(entry):
        yield from _findings_of(definition, found, entry)
        target = step_of(found) if isinstance(found, Reference) else None
        if target is not None and isinstance(found, Reference):
            places.append((target[0], found.path))
    for name, place in _cleaned(entry):
        if name not in definition.steps:
            help_text = did_you_mean(name, definition.steps)
            yield error("SP516", place, f"there is no step `{name}`", help_text)
        places.append((name, place))
    for name, place in places:
        yield from check_branch(definition, name, place, entry)
        if name in definition.steps:
            needs.setdefault(name, place)
    if entry.within:
        needs.setdefault(entry.within[-1].owner, entry.path)


def _cleaned(entry: Entry) -> Iterator[tuple[str, Path]]:
    """Yield the steps that a Cleanup step cleans after, with their places."""
    if entry.type != "Cleanup":
        return
    resources = entry.arguments.get("Resources")
    sources = resources.get("S3") if isinstance(resources, dict) else None
    for index, source in enumerate(sources if isinstance(sources, list) else []):
        name = source.get("StepName") if isinstance(source, dict) else None
        if isinstance(name, str):
            yield name, (*entry.path, "Arguments", "Resources", "S3", index, "StepName")
