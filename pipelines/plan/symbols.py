"""Arguments of a step → what can be said of their values before anything runs.

References are replaced by what they will be: a plain value where that is known, else a *token*
that says where the value comes from. Two tokens are equal only when the values will be.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

from pipelines.definition.gets import gets_in
from pipelines.definition.steps import Step
from pipelines.grammar.functions import (
    GET,
    JSON_GET,
    Get,
    Join,
    JsonGet,
    ReferenceTarget,
    function_of,
    parse_target,
    text_of,
    to_json,
)
from pipelines.grammar.paths import PathError, follow, parse_path
from pipelines.json_types import Json, JsonObject
from pipelines.plan.diff import steps_of

_MARK: Final = "?"
_CONSTANT = frozenset({"PipelineName", "PipelineArn"})
"""Execution variables that are the same in every execution."""

_NEW_EACH_TIME = ("Arn", "Name", "Artifacts", "Uri", "Path", "Time")
"""How the properties end that no two jobs have the same; a metric's value may well be the same."""


class CacheOutcome(StrEnum):
    """Whether the next execution takes a step's result from the cache."""

    HIT = "hit"
    MISS = "miss"
    UNSURE = "unsure"


class ExecutionValues:
    """The values in a definition, as one execution sees them.

    Args:
        document: the definition.
        last: the values of the execution before; None for those themselves.
        outcome: what the cache gives a step: the result of a hit is that of the last execution.
    """

    def __init__(
        self,
        document: JsonObject,
        last: ExecutionValues | None = None,
        outcome: Callable[[str], CacheOutcome] = lambda _: CacheOutcome.MISS,
    ) -> None:
        self.steps: Mapping[str, Step] = steps_of(document) or {}
        self.parameters = _parameters(document)
        self._experiment = document.get("PipelineExperimentConfig")
        self._last = last
        self._outcome = outcome
        self._open: set[tuple[str, str]] = set()

    def arguments(self, step: str) -> JsonObject:
        """Return a step's arguments, their references replaced."""
        arguments = self.steps[step].apart.get("Arguments")
        replaced = self.value(arguments if isinstance(arguments, dict) else {})
        return replaced if isinstance(replaced, dict) else {}

    def value(self, value: Json) -> Json:
        """Replace the references below a value."""
        match function_of(value) or value:
            case Get(target=target):
                return self._get(parse_target(target))
            case Join() as join:
                return self._join(join)
            case JsonGet() as function:
                return self._json_get(to_json(function))
            case list():
                return [self.value(item) for item in value]
            case dict():
                return {key: self.value(item) for key, item in value.items()}
            case _:
                return value

    def _get(self, target: ReferenceTarget) -> Json:
        if target.step is not None:
            return self._property(target)
        match target.root:
            case "Parameters":
                return self.parameters.get(target.name, _token("parameter", target.name))
            case "Execution" if target.name not in _CONSTANT:
                return self._own(target.text)
            case "PipelineExperimentConfig":
                return self._experiment_name(target.name)
            case _:
                return _token("constant", target.text)

    def _experiment_name(self, name: str) -> Json:
        """Return what an experiment's name is; a trial is called after the execution by default."""
        given = self._experiment.get(name) if isinstance(self._experiment, dict) else None
        if given is not None:
            return self.value(given)
        return self._own(name) if name == "TrialName" else _token("constant", name)

    def _property(self, target: ReferenceTarget) -> Json:
        """Return what a property of a step will be: most of Describe echoes the request."""
        step, path, reference = target.name, target.path, {GET: target.text}
        if self._last is not None and self._outcome(step) is CacheOutcome.HIT:
            return self._last.value(reference)
        if self._last is not None and self._outcome(step) is CacheOutcome.UNSURE:
            return self._maybe(reference)
        holder = self.steps.get(step)
        if holder is None or (step, path) in self._open:
            return self._own(target.text)
        try:
            echoed = follow(holder.apart.get("Arguments"), parse_path(path))
        except PathError:
            named = path.endswith(_NEW_EACH_TIME)
            return self._own(target.text) if named else self._maybe(reference)
        self._open.add((step, path))
        try:
            return self.value(echoed)
        finally:
            self._open.discard((step, path))

    def _own(self, what: str) -> JsonObject:
        """Stand for a value that no other execution has."""
        return _token("last" if self._last is None else "next", what)

    def _maybe(self, value: Json) -> JsonObject:
        """Stand for a value that is made anew and may be the same again."""
        if self._last is None:
            return _token("last", value)
        return _token("maybe", self._last.value(value))

    def _join(self, join: Join) -> Json:
        """Join what is known; what is not stays a token between texts."""
        parts: list[Json] = []
        for index, value in enumerate(join.values):
            parts += [join.on] if index else []
            parts += _parts(self.value(value))
        return _joined(parts)

    def _json_get(self, function: JsonObject) -> Json:
        """Return a value in a file: as before where its step's result is."""
        named = (get.target.step for get in gets_in(function, ()))
        steps = [*dict.fromkeys(step for step in named if step is not None)]
        if self._last is None or all(self._outcome(step) is CacheOutcome.HIT for step in steps):
            return _token("last", function if steps else self.value(function[JSON_GET]))
        return self._maybe(function)


def _token(*parts: Json) -> JsonObject:
    return {_MARK: list(parts)}


def assume_kept(value: Json) -> Json:
    """Return a value as it is when what is made anew is as it was."""
    if isinstance(value, list):
        return [assume_kept(item) for item in value]
    if not isinstance(value, dict):
        return value
    match value.get(_MARK):
        case ["maybe", kept]:
            return kept
        case ["join", list(parts)]:
            return _joined([piece for part in parts for piece in _parts(assume_kept(part))])
        case _:
            return {key: assume_kept(item) for key, item in value.items()}


def _joined(parts: list[Json]) -> Json:
    """Join texts and tokens: a text when no token is among them."""
    joined: list[Json] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] = joined[-1] + part
        elif part != "":
            joined.append(part)
    if all(isinstance(part, str) for part in joined):
        return "".join(joined)
    return {_MARK: ["join", joined]}


def _parts(value: Json) -> list[Json]:
    """Cut a joined value into texts and tokens."""
    token = value.get(_MARK) if isinstance(value, dict) else None
    if isinstance(token, list):
        return list(token[1]) if token[0] == "join" else [value]
    return [text_of(value)]


def _parameters(document: JsonObject) -> dict[str, Json]:
    """Read the parameters that have a default, typed as the service does."""
    found: dict[str, Json] = {}
    listed = document.get("Parameters")
    for item in listed if isinstance(listed, list) else []:
        if isinstance(item, dict) and item.get("DefaultValue") is not None:
            found[str(item.get("Name"))] = _typed(item.get("Type"), item["DefaultValue"])
    return found


def _typed(kind: Json, default: Json) -> Json:
    try:
        match kind:
            case "Integer":
                return int(default)
            case "Float":
                return float(default)
            case "Boolean":
                return default if isinstance(default, bool) else str(default).lower() == "true"
            case _:
                return default
    except (TypeError, ValueError, OverflowError):
        return default
