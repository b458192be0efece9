"""The targets of rules and schedules in a template → `Target`s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from pipelines.backends.local.events.rules import (
    JSON_PATH,
    OWN_VARIABLES,
    VARIABLE,
    EventPath,
    Target,
)
from pipelines.backends.local.events.template import Template, unreadable
from pipelines.diagnostics import Path
from pipelines.json_types import Json, JsonObject

_PARAMETERS: Final = "SageMakerPipelineParameters"
_MEMBERS: Final = ("Id", "Arn", "Input", "InputPath", "InputTransformer", _PARAMETERS)
_WHOLE: Final = "InputPath"


class TargetReader:
    """Reads the targets of one template.

    Args:
        template: the template.
    """

    def __init__(self, template: Template) -> None:
        self._template = template

    def of_rule(self, written: Json, path: Path) -> tuple[Target, ...]:
        """Read the targets of a rule.

        Raises:
            UnreadableError: one cannot be read.
        """
        written, path = self._template.chosen(written, path)
        if written is None:
            return ()
        if not isinstance(written, list):
            raise unreadable(path, "`Targets` must be a list")
        each = (self._template.chosen(one, (*path, index)) for index, one in enumerate(written))
        return tuple(self._of_rule(one, here) for one, here in each if one is not None)

    def of_schedule(self, schedule: str, written: Json, path: Path) -> Target:
        """Read the target of a schedule.

        Args:
            schedule: the schedule's ARN.
            written: the target.
            path: where it is written.

        Raises:
            UnreadableError: it cannot be read.
        """
        written, path = self._template.chosen(written, path)
        if not isinstance(written, dict) or "Arn" not in written:
            raise unreadable(path, "a schedule must have a `Target` with an `Arn`")
        values = self._values(written, path)
        text = values["Input"]
        variables = {
            "aws.scheduler.schedule-arn": schedule,
            "aws.scheduler.scheduled-time": EventPath("$.time"),
            "aws.scheduler.execution-id": EventPath("$.id"),
            "aws.scheduler.attempt-number": "1",
        }
        parameters = {name: value for name, value, _ in _parameters(values, path)}
        return Target(
            "target", str(values["Arn"]), parameters, variables, None if text is None else str(text)
        )

    def _of_rule(self, written: Json, path: Path) -> Target:
        if not isinstance(written, dict) or not {"Id", "Arn"} <= written.keys():
            raise unreadable(path, "a target must have an `Id` and an `Arn`")
        values = self._values(written, path)
        variables, text = _input(values, path)
        parameters = {
            name: _path(value, here) if value.startswith(("$.", "$[")) else value
            for name, value, here in _parameters(values, path)
        }
        return Target(str(values["Id"]), str(values["Arn"]), parameters, variables, text)

    def _values(self, written: JsonObject, path: Path) -> JsonObject:
        """Evaluate the members of a target."""
        values = {key: self._template.evaluated(written.get(key), (*path, key)) for key in _MEMBERS}
        if not str(values["Arn"]).startswith("arn:"):
            raise unreadable((*path, "Arn"), "the `Arn` of a target must be an ARN")
        return values


def _parameters(values: JsonObject, path: Path) -> list[tuple[str, str, Path]]:
    """Return the parameters of a pipeline: name, value, where the value is written."""
    here = (*path, _PARAMETERS, "PipelineParameterList")
    match values[_PARAMETERS]:
        case None:
            return []
        case {"PipelineParameterList": list(listed)}:
            pass
        case _:
            raise unreadable(here[:-1], "the parameters must be a `PipelineParameterList`")
    for index, one in enumerate(listed):
        if not isinstance(one, dict) or not {"Name", "Value"} <= one.keys():
            raise unreadable((*here, index), "a parameter must have a `Name` and a `Value`")
    return [
        (str(one["Name"]), str(one["Value"]), (*here, index, "Value"))
        for index, one in enumerate(listed)
    ]


def _input(values: JsonObject, path: Path) -> tuple[Mapping[str, str], str | None]:
    """Return what a target of a rule is told: the variables of a text, and the text."""
    here = (*path, "InputTransformer")
    match values["InputTransformer"]:
        case None if values[_WHOLE] is not None:
            return {_WHOLE: _path(str(values[_WHOLE]), (*path, _WHOLE))}, f"<{_WHOLE}>"
        case None:
            text = values["Input"]
            return {}, None if text is None else str(text)
        case {"InputTemplate": str(text), **more}:
            paths = more.get("InputPathsMap") or {}
        case _:
            raise unreadable(here, "an `InputTransformer` must have an `InputTemplate`")
    if not isinstance(paths, dict):
        raise unreadable((*here, "InputPathsMap"), "`InputPathsMap` must be a mapping")
    variables: dict[str, str] = dict.fromkeys(OWN_VARIABLES, "")
    for name, one in paths.items():
        variables[name] = _path(str(one), (*here, "InputPathsMap", name))
    for name in VARIABLE.findall(text):
        if name not in variables:
            raise unreadable((*here, "InputTemplate"), f"`<{name}>` is not in `InputPathsMap`")
    return variables, text


def _path(text: str, path: Path) -> EventPath:
    if JSON_PATH.fullmatch(text) is None:
        raise unreadable(path, f"`{text}` is not a path such as `$.detail.ModelPackageArn`")
    return EventPath(text)
