"""Checks that every `Get` names something that may be read from where it stands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from pipelines.definition.findings import error, warning
from pipelines.definition.gets import PlacedGet
from pipelines.definition.steps import CONFIGS, Definition, Step
from pipelines.diagnostics import Finding
from pipelines.diagnostics.sentences import suggestion
from pipelines.frozen import frozen
from pipelines.grammar.functions import (
    EXECUTION,
    EXECUTION_VARIABLES,
    EXPERIMENT,
    PARAMETERS,
    ROOTS,
    STEPS,
    property_file_of,
)
from pipelines.grammar.paths import Key, parse_path
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType
from pipelines.steptypes.places import value_at
from pipelines.steptypes.shapes import PathProblem, member_at, shapes_of

_NAMES_ONLY: Final[dict[str, tuple[str, str, Collection[str]]]] = {
    EXECUTION: ("SP518", "execution variable", EXECUTION_VARIABLES),
    EXPERIMENT: ("SP518", "experiment name", CONFIGS[EXPERIMENT]),
}


def check(definition: Definition) -> Iterator[Finding]:
    """Yield references that lead nowhere; those to loops are checked elsewhere."""
    names = _Names()
    for get, _ in definition.gets():
        yield from _check_get(definition, get, names)


def _check_get(definition: Definition, get: PlacedGet, names: _Names) -> Iterator[Finding]:
    target, path = get.target, get.path
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
        yield from _check_step_target(definition, get, names)


def _check_step_target(definition: Definition, get: PlacedGet, names: _Names) -> Iterator[Finding]:
    target, place = get.target, get.path
    step = definition.named.get(target.name)
    if step is None:
        help_text = suggestion(target.name, definition.named)
        yield error("SP516", place, f"there is no step `{target.name}`", help_text)
        return
    file = property_file_of(target)
    if get.of_file or file is not None:
        yield from _check_property_file(get, step, file.name if file else None, names)
        return
    if step.known is None:
        return
    if not target.path:
        message = f"`{target.text}` names a step, but none of its properties"
        yield error("SP517", place, message)
        return
    found = member_at(shapes_of(step.known), target.path)
    if isinstance(found, PathProblem):
        yield error("SP517", place, found.message, found.help)
        return
    yield from _check_named_entry(step, step.known, get, names)


def _check_property_file(
    get: PlacedGet, step: Step, file: str | None, names: _Names
) -> Iterator[Finding]:
    place = get.path
    if not get.of_file:
        yield error("SP519", place, "a property file is read with `Std:JsonGet` only")
        return
    if file is None:
        yield error(
            "SP519",
            place,
            f"`{get.target.text}` names no property file",
            f"write `Steps.{step.name}.PropertyFiles.<name>`",
        )
        return
    known = names.of(step.whole.get("PropertyFiles"), "PropertyFileName")
    if file not in known:
        message = f"`{step.name}` has no property file `{file}`"
        yield error("SP519", place, message, suggestion(file, known))
    elif get.target.text.endswith("]"):
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


def _named_lists(step: Step, step_type: StepType) -> Iterator[_NamedList]:
    for what, places in (("output", step_type.outputs), ("input", step_type.inputs)):
        for data in places:
            members = tuple(data.at.removesuffix(".*").split("."))
            if data.named_by is not None and "*" not in members:
                yield _NamedList(members, data.named_by, what, step.arguments)
    for key in step_type.step_keys:
        if key.named_by is not None:
            yield _NamedList((key.name,), key.named_by, "output", step.whole)


def _check_named_entry(
    step: Step, step_type: StepType, get: PlacedGet, names: _Names
) -> Iterator[Finding]:
    """Yield on an input or output that the step does not declare."""
    parts = parse_path(get.target.path)
    for listed in _named_lists(step, step_type):
        end = len(listed.members)
        if len(parts) <= end or parts[:end] != listed.members:
            continue
        wanted = parts[end]
        entries = value_at(listed.holder, ".".join(listed.members))
        if not isinstance(entries, list | None) or not isinstance(wanted, Key):
            continue
        known = names.of(entries, listed.named_by)
        if wanted not in known:
            message = f"`{step.name}` has no {listed.what} `{wanted}`"
            yield error("SP517", get.path, message, suggestion(wanted, known))


class _Names:
    """The names of the entries of lists, of each list read once."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, str], Mapping[str, None]] = {}

    def of(self, entries: Json, named_by: str) -> Mapping[str, None]:
        """Return the names of a list's entries, in their order; the list stays as it is."""
        key = id(entries), named_by
        if key not in self._known:
            listed = entries if isinstance(entries, list) else ()
            names = (one.get(named_by) for one in listed if isinstance(one, dict))
            self._known[key] = dict.fromkeys(name for name in names if isinstance(name, str))
        return self._known[key]
