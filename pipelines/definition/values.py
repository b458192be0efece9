"""Checks the values of parameters that are known by the members that they go into.

A definition says the default of a parameter and the values that it may take; the start of an
execution says the rest. What the service would refuse of a step, it would refuse of its values.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from pipelines.definition.checks.parameters import is_of_type
from pipelines.definition.steps import UNTYPED, take_apart
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.frozen import frozen
from pipelines.grammar.functions import is_function, parameters_in
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.arguments import check_with
from pipelines.steptypes.steptype import StepType


@frozen
class KnownValues:
    """What a definition says about the values of its parameters.

    Args:
        types: the type of each parameter.
        defaults: the default of each that has one.
        others: the further values that a parameter may take, where they are listed.
    """

    types: Mapping[str, str]
    defaults: Mapping[str, Json]
    others: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(cls, definition: JsonObject) -> KnownValues:
        """Read the parameters of a definition; what is wrong with one is reported elsewhere."""
        listed = definition.get("Parameters")
        types, defaults, others = dict[str, str](), dict[str, Json](), dict[str, tuple[str, ...]]()
        for parameter in listed if isinstance(listed, list) else ():
            if isinstance(parameter, dict) and isinstance(name := parameter.get("Name"), str):
                named = parameter.get("Type")
                types[name] = named if isinstance(named, str) else UNTYPED
                default, allowed = parameter.get("DefaultValue"), parameter.get("EnumValues")
                if is_of_type(default, types[name]):
                    defaults[name] = default
                listed_values = allowed if isinstance(allowed, list) else ()
                others[name] = tuple(
                    v for v in listed_values if isinstance(v, str) and v != default
                )
        return cls(types, defaults, others)

    def check(
        self, step_type: StepType, arguments: JsonObject, prefix: Path, *, conditional: bool
    ) -> Iterator[Finding]:
        """Yield where a default, or a value that a parameter may take, does not fit.

        Args:
            step_type: the Type of a step.
            arguments: its `Arguments`.
            prefix: where they stand in the definition.
            conditional: whether a condition may keep the step from running with such a value: then
                it is only warned of.
        """
        seen: set[Path] = set()
        for values in self._choices(_used(arguments, self.types)) if step_type.request else ():
            for finding in check_with(step_type, arguments, self.types, values, prefix):
                if finding.path in seen:
                    continue
                seen.add(finding.path)
                names = _going_to(arguments, finding.path[len(prefix) :], values)
                said = ", ".join(self._described(name, values[name]) for name in names)
                severity = Severity.WARNING if conditional else finding.severity
                message = f"{said} does not fit: {finding.message}" if said else finding.message
                yield replace(finding, message=message, severity=severity)

    def _choices(self, used: Collection[str]) -> Iterator[dict[str, Json]]:
        """Yield the values to look at: the defaults, then each other value beside them."""
        defaults = {name: self.defaults[name] for name in used if name in self.defaults}
        yield defaults
        for name in used:
            for value in self.others[name]:
                yield {**defaults, name: value}

    def _described(self, name: str, value: Json) -> str:
        if value == self.defaults.get(name):
            return f"the default of parameter `{name}`"
        return f"`{value}` of parameter `{name}`"


@frozen
class ValueRefusal:
    """Values of parameters that a step cannot run with.

    Args:
        step: the step's name.
        parameters: the names of the parameters.
        finding: what is wrong; its path leads into the arguments of the step.
    """

    step: str
    parameters: tuple[str, ...]
    finding: Finding


def refuse(
    definition: JsonObject, values: Mapping[str, Json], selected: Collection[str]
) -> ValueRefusal | None:
    """Return the first step that cannot run with these values of parameters, and why.

    Steps in the branches of a condition are left out: it may keep them from running.

    Args:
        definition: a definition.
        values: the value of each parameter.
        selected: the names of the steps that are to run; empty for all.
    """
    parts = take_apart(definition)
    for step in parts.steps:
        known, arguments = step.known, step.arguments
        if known is None or step.conditional or (selected and step.name not in selected):
            continue
        for finding in check_with(known, arguments, parts.parameters, values):
            if finding.severity is Severity.ERROR:
                return ValueRefusal(step.name, _going_to(arguments, finding.path, values), finding)
    return None


def _going_to(arguments: JsonObject, path: Path, values: Mapping[str, Json]) -> tuple[str, ...]:
    """Return which parameters go into what stands at a path; all where it has a plain value."""
    stated: Json = arguments
    for part in path:
        try:
            stated = stated[part]
        except (KeyError, IndexError, TypeError):
            break
    used = _used(stated, values)
    return used if used or is_function(stated) else _used(arguments, values)


def _used(value: Json, known: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(parameters_in(value)) if name in known)
