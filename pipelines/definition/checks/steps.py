"""Checks one step at a time: its keys, name, Type, and its own extra keys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from pipelines.definition.checks.policies import check_cache, check_depends_on, check_retries
from pipelines.definition.model import Definition, Entry, error, error_on_key, warning
from pipelines.diagnostics import Finding, Path
from pipelines.diagnostics.nearest import nearest
from pipelines.diagnostics.sentences import suggestion
from pipelines.json_types import JsonObject
from pipelines.steptypes import UNDOCUMENTED, StepType, find, find_alias, names
from pipelines.steptypes.arguments import check_arguments, finding_of
from pipelines.steptypes.places import below
from pipelines.steptypes.shapes import check, shapes_of

_KEYS: Final = (
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "RetryPolicies",
)
_TEXTS: Final = {"DisplayName": 256, "Description": 3072}
_NAME: Final = re.compile(r"[A-Za-z0-9\-_]{1,64}")


def check_step(definition: Definition, entry: Entry) -> Iterator[Finding]:
    """Yield what is wrong with one step apart from references and conditions."""
    step_type = find(entry.type)
    yield from _check_name(definition, entry)
    yield from _check_type(entry)
    yield from _check_keys(entry, step_type)
    yield from _check_texts(entry)
    yield from check_depends_on(definition, entry)
    yield from check_cache(entry, step_type)
    yield from check_retries(entry, step_type)
    if step_type is not None:
        yield from _check_contents(definition, entry, step_type)


def _check_name(definition: Definition, entry: Entry) -> Iterator[Finding]:
    name = entry.step.get("Name")
    if name is None:
        yield error("SP504", entry.path, "`Name` is missing in a step")
    elif not isinstance(name, str) or _NAME.fullmatch(name) is None:
        yield error(
            "SP506",
            (*entry.path, "Name"),
            f"`{name}` is no name of a step",
            "use 1 to 64 letters, digits, `-` and `_`",
        )
    elif definition.steps[name] is not entry:
        yield error(
            "SP506",
            (*entry.path, "Name"),
            f"there are two steps `{name}`",
            "names are unique in the whole pipeline, branches included",
        )


def _check_type(entry: Entry) -> Iterator[Finding]:
    given = entry.step.get("Type")
    if given is None:
        yield error("SP504", entry.path, "`Type` is missing in a step")
    elif entry.type in UNDOCUMENTED:
        yield warning(
            "SP523",
            (*entry.path, "Type"),
            f"nobody documents the arguments of a `{entry.type}` step; they are not checked",
        )
    elif find(entry.type) is None:
        word = str(given).removesuffix("Step")
        other = find_alias(word)
        close = other.name if other is not None else nearest(word, names())
        yield error(
            "SP505",
            (*entry.path, "Type"),
            f"`{given}` is no Type of a step",
            f"did you mean `{close}`?" if close else "known are " + ", ".join(names()),
        )


def _check_keys(entry: Entry, step_type: StepType | None) -> Iterator[Finding]:
    if step_type is None:
        return
    own = {key.name: key for key in step_type.step_keys}
    known = (*_KEYS, *own)
    for key in entry.step:
        if key not in known:
            yield error_on_key(
                "SP504",
                (*entry.path, key),
                f"unknown key `{key}` in a `{entry.type}` step",
                _belongs_inside(key, step_type) or suggestion(key, known),
            )
    for step_key in own.values():
        if step_key.required and entry.step.get(step_key.name) is None:
            yield error(
                "SP504", entry.path, f"`{step_key.name}` is missing in a `{entry.type}` step"
            )
    yield from _check_holder(entry, step_type)


def _belongs_inside(key: str, step_type: StepType) -> str | None:
    request = shapes_of(step_type).request
    inside = request is not None and key in request.members
    return f"`{key}` belongs into `Arguments`" if inside else None


def _check_holder(entry: Entry, step_type: StepType) -> Iterator[Finding]:
    arguments = entry.step.get("Arguments")
    if arguments is None and not step_type.bare:
        yield error("SP504", entry.path, "`Arguments` is missing in a step")
    elif not isinstance(arguments, dict | None):
        yield error("SP504", (*entry.path, "Arguments"), "`Arguments` has to be an object")


def _check_texts(entry: Entry) -> Iterator[Finding]:
    for key, most in _TEXTS.items():
        text = entry.step.get(key)
        if text is None:
            continue
        if not isinstance(text, str):
            yield error("SP504", (*entry.path, key), f"`{key}` has to be a string")
        elif len(text) > most:
            yield error(
                "SP504",
                (*entry.path, key),
                f"`{key}` has {len(text)} characters, but may have {most}",
            )


def _check_contents(definition: Definition, entry: Entry, step_type: StepType) -> Iterator[Finding]:
    """Yield what the Type's shapes and limits say about arguments and extra keys."""
    shapes = shapes_of(step_type)
    for key in step_type.step_keys:
        problems = check(
            entry.step.get(key.name), shapes.get(key.shape), shapes, definition.parameters
        )
        for problem in problems:
            yield finding_of(problem, (*entry.path, key.name))
    arguments: JsonObject = entry.arguments
    if arguments or isinstance(entry.step.get("Arguments"), dict):
        path = (*entry.path, "Arguments")
        for finding in check_arguments(step_type, arguments, definition.parameters, path):
            yield _belonging_beside(finding, step_type, path)
    if "PropertyFiles" in entry.step:
        yield from _check_property_files(entry, step_type)


def _belonging_beside(finding: Finding, step_type: StepType, arguments: Path) -> Finding:
    """Say of a key of the step that stands in its arguments where it belongs."""
    key, own = finding.path[-1], {key.name for key in step_type.step_keys}
    if finding.at != "key" or finding.path[:-1] != arguments or key not in {*_KEYS, *own}:
        return finding
    return replace(finding, help=f"`{key}` belongs beside `Arguments`, not into them")


def _check_property_files(entry: Entry, step_type: StepType) -> Iterator[Finding]:
    """Yield property files that name no output, or stand there twice."""
    files = entry.step["PropertyFiles"]
    outputs = _output_names(entry, step_type)
    seen: set[str] = set()
    for index, file in enumerate(files if isinstance(files, list) else []):
        if not isinstance(file, dict):
            continue
        path = (*entry.path, "PropertyFiles", index)
        output, name = file.get("OutputName"), file.get("PropertyFileName")
        if outputs is not None and isinstance(output, str) and output not in outputs:
            yield error(
                "SP511",
                (*path, "OutputName"),
                f"`{entry.name}` has no output `{output}`",
                suggestion(output, outputs),
            )
        if isinstance(name, str):
            if name in seen:
                message = f"there are two property files `{name}`"
                yield error("SP511", (*path, "PropertyFileName"), message)
            seen.add(name)


def _output_names(entry: Entry, step_type: StepType) -> list[str] | None:
    """Return the names of a step's outputs; None where one is not known yet."""
    found = []
    for data in step_type.outputs:
        for _, output in below(entry.arguments, data.at):
            name = output.get(data.named_by) if isinstance(output, dict) else None
            if not isinstance(name, str):
                return None
            found.append(name)
    return found
