"""What the checks of a definition share: its steps in one list, and how findings are made."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType, find

BRANCHES: Final = ("IfSteps", "ElseSteps")
BODY: Final = "ForEachBody"

UNTYPED: Final = "String"
"""What a parameter without `Type` is (the service's published JSON schema)."""


@frozen
class Branch:
    """One list of steps inside another step."""

    owner: str
    argument: str


@frozen
class Entry:
    """One step, wherever it stands.

    Args:
        name: its name, empty where it has none.
        type: its Type, empty where it has none.
        step: the step itself.
        path: where it stands in the definition.
        within: the branches around it, outermost first.
    """

    name: str
    type: str
    step: JsonObject
    path: Path
    within: tuple[Branch, ...] = ()

    @property
    def known(self) -> StepType | None:
        """What is known of its Type; None for an unknown one."""
        return find(self.type)

    @property
    def arguments(self) -> JsonObject:
        """The step's `Arguments`, an empty object where they are none."""
        arguments = self.step.get("Arguments")
        return arguments if isinstance(arguments, dict) else {}


@frozen
class Definition:
    """A definition taken apart.

    Args:
        whole: the definition itself.
        parameters: name → type of every parameter that has a name.
        entries: every step, branches included, in the order of the text.
        steps: the first step of each name.
    """

    whole: JsonObject
    parameters: dict[str, str]
    entries: tuple[Entry, ...]
    steps: dict[str, Entry]


def take_apart(whole: JsonObject) -> Definition:
    """Return a definition taken apart; what has the wrong form is left out."""
    parameters = {
        parameter["Name"]: str(parameter.get("Type") or UNTYPED)
        for parameter in _objects(whole.get("Parameters"))
        if isinstance(parameter.get("Name"), str)
    }
    entries = tuple(_entries(whole.get("Steps"), ("Steps",), ()))
    steps: dict[str, Entry] = {}
    for entry in entries:
        if entry.name:
            steps.setdefault(entry.name, entry)
    return Definition(whole, parameters, entries, steps)


def _objects(value: Json) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _entries(steps: Json, path: Path, within: tuple[Branch, ...]) -> Iterator[Entry]:
    if not isinstance(steps, list) or len(within) > _DEEPEST:
        return
    for index, step in enumerate(steps):
        if not isinstance(step, dict):
            continue
        name, type_name = step.get("Name"), step.get("Type")
        entry = Entry(
            name if isinstance(name, str) else "",
            type_name if isinstance(type_name, str) else "",
            step,
            (*path, index),
            within,
        )
        yield entry
        for nested in entry.known.holds if entry.known is not None else ():
            inner = (*entry.path, "Arguments", nested.argument)
            branch = Branch(entry.name, nested.argument)
            yield from _entries(entry.arguments.get(nested.argument), inner, (*within, branch))


_DEEPEST: Final = 50


def error(code: str, path: Path, message: str, help_text: str | None = None) -> Finding:
    """Return an error on a value."""
    return Finding(code, message, path, help=help_text)


def error_on_key(code: str, path: Path, message: str, help_text: str | None = None) -> Finding:
    """Return an error on a key."""
    return Finding(code, message, path, at="key", help=help_text)


def warning(code: str, path: Path, message: str, help_text: str | None = None) -> Finding:
    """Return a warning on a value."""
    return Finding(code, message, path, help=help_text, severity=Severity.WARNING)
