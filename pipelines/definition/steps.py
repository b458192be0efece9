"""The steps of a definition, those inside other steps too: the one walk over them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.definition.gets import PlacedGet, gets_in
from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import EXPERIMENT
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType, find
from pipelines.steptypes.steptype import NestedSteps

STEP_KEYS: Final = (
    "Name",
    "Type",
    "Arguments",
    "DependsOn",
    "DisplayName",
    "Description",
    "CacheConfig",
    "RetryPolicies",
)
"""The keys that a step of any Type may have."""

CONFIGS: Final = {
    EXPERIMENT: ("ExperimentName", "TrialName"),
    "MlflowConfig": ("MlflowResourceArn", "MlflowExperimentName"),
}
"""What stands beside the steps and may hold functions: each with its keys."""

UNTYPED: Final = "String"
"""What a parameter without `Type` is (the service's published JSON schema)."""


@frozen
class Branch:
    """One list of steps inside another step.

    Args:
        owner: the step that holds it.
        nested: the argument that it is.
    """

    owner: str
    nested: NestedSteps

    @property
    def argument(self) -> str:
        """The argument's name, as `IfSteps`."""
        return self.nested.argument

    @property
    def repeats(self) -> bool:
        """Whether its steps run once per item, and not for one outcome of the owner."""
        return self.nested.outcome is None


@frozen
class Step:
    """One step, wherever it stands.

    Args:
        name: its name, empty where it has none.
        type: its Type, empty where it has none.
        whole: the step itself.
        path: where it stands in the definition.
        within: the branches around it, outermost first.
        known: what is known of its Type; None for an unknown one.
        apart: the step without the steps inside it: the lists that hold them are empty.
        gets: every `Get` of the step, those of the steps inside it apart.
    """

    name: str
    type: str
    whole: JsonObject
    path: Path
    within: tuple[Branch, ...]
    known: StepType | None
    apart: JsonObject
    gets: tuple[PlacedGet, ...]

    @property
    def holds(self) -> tuple[NestedSteps, ...]:
        """The arguments that hold steps."""
        return self.known.holds if self.known is not None else ()

    @property
    def branch(self) -> Branch | None:
        """The branch that it stands in; None at the top level."""
        return self.within[-1] if self.within else None

    @property
    def repeats(self) -> bool:
        """Whether it stands, at any depth, in steps that run once per item."""
        return any(branch.repeats for branch in self.within)

    @property
    def conditional(self) -> bool:
        """Whether it stands in the branch of a condition, which may keep it from running."""
        return any(not branch.repeats for branch in self.within)

    @property
    def arguments(self) -> JsonObject:
        """Its `Arguments`, an empty object where they are none."""
        arguments = self.whole.get("Arguments")
        return arguments if isinstance(arguments, dict) else {}


@frozen
class Definition:
    """A definition taken apart.

    Args:
        whole: the definition itself.
        parameters: name → type of every parameter that has a name.
        steps: every step, in the order of the text.
        named: the first step of each name.
        misplaced: what stands, in place of a step, in a list of steps, with its place.
    """

    whole: JsonObject
    parameters: dict[str, str]
    steps: tuple[Step, ...]
    named: dict[str, Step]
    misplaced: tuple[tuple[Path, Json], ...]

    def gets(self) -> Iterator[tuple[PlacedGet, Step | None]]:
        """Yield every `Get`, with the step that it stands in; None above the steps."""
        for key in CONFIGS:
            yield from ((get, None) for get in gets_in(self.whole.get(key), (key,)))
        for step in self.steps:
            yield from ((get, step) for get in step.gets)

    def inside(self, owner: Step) -> tuple[Step, ...]:
        """Return the steps inside a step, at any depth."""
        depth = len(owner.path)
        return tuple(
            step
            for step in self.steps
            if len(step.path) > depth and step.path[:depth] == owner.path
        )


def take_apart(whole: JsonObject) -> Definition:
    """Return a definition taken apart; it may be anything that is a JSON object."""
    parameters = {
        parameter["Name"]: type_name
        if isinstance(type_name := parameter.get("Type"), str)
        else UNTYPED
        for parameter in _objects(whole.get("Parameters"))
        if isinstance(parameter.get("Name"), str)
    }
    steps: list[Step] = []
    misplaced: list[tuple[Path, Json]] = []
    for found in _walk(whole.get("Steps"), ("Steps",), ()):
        if isinstance(found, Step):
            steps.append(found)
        else:
            misplaced.append(found)
    named: dict[str, Step] = {}
    for step in steps:
        if step.name:
            named.setdefault(step.name, step)
    return Definition(whole, parameters, tuple(steps), named, tuple(misplaced))


def _objects(value: Json) -> list[JsonObject]:
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _walk(
    steps: Json, path: Path, within: tuple[Branch, ...]
) -> Iterator[Step | tuple[Path, Json]]:
    for index, whole in enumerate(steps if isinstance(steps, list) else ()):
        place = (*path, index)
        if not isinstance(whole, dict):
            yield place, whole
            continue
        step = _step(whole, place, within)
        yield step
        for nested in step.holds:
            inner = step.arguments.get(nested.argument)
            inside = (*within, Branch(step.name, nested))
            yield from _walk(inner, (*place, "Arguments", nested.argument), inside)


def _step(whole: JsonObject, path: Path, within: tuple[Branch, ...]) -> Step:
    name, type_name = whole.get("Name"), whole.get("Type")
    known = find(type_name) if isinstance(type_name, str) else None
    apart = _apart(whole, known.holds if known is not None else ())
    return Step(
        name=name if isinstance(name, str) else "",
        type=type_name if isinstance(type_name, str) else "",
        whole=whole,
        path=path,
        within=within,
        known=known,
        apart=apart,
        gets=tuple(gets_in(apart, path)),
    )


def _apart(whole: JsonObject, holds: tuple[NestedSteps, ...]) -> JsonObject:
    arguments = whole.get("Arguments")
    if not holds or not isinstance(arguments, dict):
        return whole
    lists = (one.argument for one in holds)
    empty: JsonObject = {name: [] for name in lists if isinstance(arguments.get(name), list)}
    return {**whole, "Arguments": {**arguments, **empty}}
