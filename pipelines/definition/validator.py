"""Runs every check over a definition and gathers what they find."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.definition.checks.comparisons import check_comparisons
from pipelines.definition.checks.conditions import check_nesting
from pipelines.definition.checks.functions import Reference, functions_in, functions_of_step
from pipelines.definition.checks.references import check_branch, check_reference
from pipelines.definition.checks.steps import check_step
from pipelines.definition.checks.top import check_top
from pipelines.definition.model import Definition, Entry, error, take_apart
from pipelines.definition.order import check_cycles, cleaned, needed
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.json_types import Json


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
        findings.extend(check_comparisons(parts, entry))
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
    for found in functions_of_step(entry):
        yield from _findings_of(definition, found, entry)
    for name, place in cleaned(entry):
        if name not in definition.steps:
            help_text = suggestion(name, definition.steps)
            yield error("SP516", place, f"there is no step `{name}`", help_text)
    for name, place in needed(entry):
        yield from check_branch(definition, name, place, entry)
        if name in definition.steps:
            needs.setdefault(name, place)
    if entry.within:
        needs.setdefault(entry.within[-1].owner, entry.path)
