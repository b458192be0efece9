"""Checks that every reference leads somewhere that may be read from where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Final

from pipelines.definition.checks.functions import Reference
from pipelines.definition.model import (
    BODY,
    Definition,
    Entry,
    error,
    warning,
)
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.sentences import suggestion
from pipelines.frozen import frozen
from pipelines.grammar.functions import (
    EXECUTION_VARIABLES,
    ITERATION,
    PARAMETERS,
    ROOTS,
    STEPS,
    property_file_of,
)
from pipelines.grammar.paths import Key, parse_path
from pipelines.json_types import JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.places import value_at
from pipelines.steptypes.shapes import PathProblem, member_at, shapes_of

_NAMES_ONLY: Final[dict[str, tuple[str, str, Collection[str]]]] = {
    "Execution": ("SP518", "execution variable", EXECUTION_VARIABLES),
    "PipelineExperimentConfig": ("SP518", "experiment name", ("ExperimentName", "TrialName")),
}


def check_reference(
    definition: Definition, reference: Reference, entry: Entry | None
) -> Iterator[Finding]:
    """Yield what is wrong with one reference.

    Args:
        definition: the definition it stands in.
        reference: the reference.
        entry: the step it stands in; None above the steps.
    """
    target, path = reference.target, reference.path
    root, name = target.root, target.name
    if root not in ROOTS or not (name or target.path):
        yield error(
            "SP514",
            path,
            f"`{target.text}` refers to nothing",
            suggestion(root, ROOTS) or "write `Parameters.<name>` or `Steps.<name>.<property>`",
        )
    elif root in _NAMES_ONLY or root == PARAMETERS:
        code, what, known = _NAMES_ONLY.get(root) or ("SP515", "parameter", definition.parameters)
        if name not in known:
            yield error(code, path, f"there is no {what} `{name}`", suggestion(name, known))
    elif root == STEPS:
        yield from _check_step_reference(definition, reference)
    else:
        yield from _check_loop_reference(reference, entry)


def _check_loop_reference(reference: Reference, entry: Entry | None) -> Iterator[Finding]:
    """Yield on `ForEach.CurrentItem` outside a body; `IterationOutput` is a selector's."""
    target = reference.target
    if target.root == ITERATION:
        if entry is None or entry.known is None or not entry.known.repeats:
            message = "`IterationOutput` may stand in the selector of a ForEach step only"
            yield error("SP522", reference.path, message)
        return
    inside = entry is not None and any(branch.argument == BODY for branch in entry.within)
    if not inside:
        message = "`ForEach.CurrentItem` may stand in the body of a ForEach step only"
        yield error("SP522", reference.path, message)
    if target.name != "CurrentItem":
        message = f"`{target.text}` refers to nothing"
        yield error("SP514", reference.path, message, "did you mean `ForEach.CurrentItem`?")


def _check_step_reference(definition: Definition, reference: Reference) -> Iterator[Finding]:
    target = reference.target
    name, path = target.name, target.path
    step = definition.steps.get(name)
    if step is None:
        help_text = suggestion(name, definition.steps)
        yield error("SP516", reference.path, f"there is no step `{name}`", help_text)
        return
    file = property_file_of(target)
    if reference.property_file or file is not None:
        yield from _check_property_file(reference, step, file.name if file else None)
        return
    step_type = step.known
    if step_type is None:
        return
    if not path:
        message = f"`{target.text}` names a step, but none of its properties"
        yield error("SP517", reference.path, message)
        return
    found = member_at(shapes_of(step_type), path)
    if isinstance(found, PathProblem):
        yield error("SP517", reference.path, found.message, found.help)
        return
    yield from _check_named_entry(reference.path, step, step_type, path)


def _check_property_file(reference: Reference, step: Entry, file: str | None) -> Iterator[Finding]:
    place = reference.path
    if not reference.property_file:
        yield error("SP519", place, "a property file is read with `Std:JsonGet` only")
        return
    if file is None:
        yield error(
            "SP519",
            place,
            f"`{reference.target.text}` names no property file",
            f"write `Steps.{step.name}.PropertyFiles.<name>`",
        )
        return
    listed = step.step.get("PropertyFiles")
    known = [
        str(entry.get("PropertyFileName"))
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict)
    ]
    if file not in known:
        message = f"`{step.name}` has no property file `{file}`"
        yield error("SP519", place, message, suggestion(file, known))
    elif reference.target.text.endswith("]"):
        yield warning(
            "SP519",
            place,
            f"`{file}` stands in brackets, which the SDK never writes",
            f"write `Steps.{step.name}.PropertyFiles.{file}`",
        )


@frozen
class _NamedList:
    """A list of a step that references enter by name.

    Args:
        members: where it stands in the properties, and in its holder.
        named_by: the member that is the name.
        what: what an entry is.
        holder: the part of the step that declares the entries.
    """

    members: tuple[str, ...]
    named_by: str
    what: str
    holder: JsonObject


def _named_lists(step: Entry, step_type: StepType) -> Iterator[_NamedList]:
    for what, places in (("output", step_type.outputs), ("input", step_type.inputs)):
        for data in places:
            members = tuple(data.at.removesuffix(".*").split("."))
            if data.named_by is not None and "*" not in members:
                yield _NamedList(members, data.named_by, what, step.arguments)
    for key in step_type.step_keys:
        if key.named_by is not None:
            yield _NamedList((key.name,), key.named_by, "output", step.step)


def _check_named_entry(
    place: Path, step: Entry, step_type: StepType, path: str
) -> Iterator[Finding]:
    """Yield on an input or output that the step does not declare."""
    parts = parse_path(path)
    for listed in _named_lists(step, step_type):
        end = len(listed.members)
        if len(parts) <= end or parts[:end] != listed.members:
            continue
        wanted = parts[end]
        entries = value_at(listed.holder, ".".join(listed.members))
        if not isinstance(entries, list | None) or not isinstance(wanted, Key):
            continue
        known = [str(item.get(listed.named_by)) for item in entries or () if isinstance(item, dict)]
        if wanted not in known:
            message = f"`{step.name}` has no {listed.what} `{wanted}`"
            yield error("SP517", place, message, suggestion(wanted, known))


def check_branch(definition: Definition, name: str, place: Path, entry: Entry) -> Iterator[Finding]:
    """Yield where a step needs a step that never runs with it, or may not run."""
    target = definition.steps.get(name)
    if target is None or target.within == entry.within[: len(target.within)]:
        return
    common = 0
    while (
        common < min(len(target.within), len(entry.within))
        and target.within[common] == entry.within[common]
    ):
        common += 1
    branch = target.within[common]
    other = entry.within[common] if common < len(entry.within) else None
    if other is not None and other.owner == branch.owner:
        yield error(
            "SP520",
            place,
            f"`{entry.name}` needs `{name}`, which stands in the other branch of `{branch.owner}`",
            "only one branch runs; move one of the two steps",
        )
    elif branch.argument == BODY:
        yield error(
            "SP520",
            place,
            f"`{name}` stands in the body of `{branch.owner}` and cannot be read from outside",
            f"read `Steps.{branch.owner}.IterationOutputs[0].{name}.<member>`",
        )
    else:
        yield warning(
            "SP520",
            place,
            f"`{entry.name}` needs `{name}`, which only runs when `{branch.owner}` takes "
            f"`{branch.argument}`",
            f"move `{entry.name}` into that branch",
        )
