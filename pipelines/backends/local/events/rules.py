"""A rule of EventBridge: which events it takes, what it hands them to, and what it tells."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final

from pipelines.backends.local.events import patterns
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

VARIABLE: Final = re.compile(r"<([A-Za-z0-9_.-]+)>")
"""A variable of an input template."""

OWN_VARIABLES: Final = frozenset(
    {
        "aws.events.rule-arn",
        "aws.events.rule-name",
        "aws.events.event",
        "aws.events.event.ingestion-time",
        "aws.events.event.json",
    }
)
"""Those that need no path: the user guide, "Amazon EventBridge input transformation"."""

JSON_PATH: Final = re.compile(r"\$(?:\.[A-Za-z0-9_-]+|\[[0-9]+\])*")
_PATH_PART: Final = re.compile(r"\.([A-Za-z0-9_-]+)|\[([0-9]+)\]")
_PIPELINE: Final = re.compile(r"arn:aws:sagemaker:[^:]*:[^:]*:pipeline/([^/]+)")


class EventPath(str):
    """A path into an event, such as `$.detail.ModelPackageArn`."""

    __slots__ = ()


@frozen
class Target:
    """What an event is handed to.

    Args:
        id: its id in the rule.
        arn: what it is.
        parameters: of a pipeline's execution: name → value, or a path into the event.
        variables: those of `text`: name → value, or a path into the event.
        text: what is told; None for the event itself.
    """

    id: str
    arn: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    text: str | None = None

    @property
    def pipeline(self) -> str | None:
        """The name of the pipeline that it starts, if it is one."""
        found = _PIPELINE.fullmatch(self.arn)
        return None if found is None else found[1]

    @property
    def service(self) -> str:
        """The service that it belongs to, such as `sns`."""
        return (self.arn.split(":") + [""] * 3)[2]

    @property
    def name(self) -> str:
        """Its name, for people."""
        return re.split(r"[:/]", self.arn)[-1]


@frozen
class Rule:
    """A rule that is enabled.

    Args:
        name: its name.
        pattern: which events it takes.
        targets: what it hands them to.
    """

    name: str
    pattern: JsonObject
    targets: tuple[Target, ...]

    def takes(self, event: JsonObject) -> bool:
        """Return whether an event passes its pattern."""
        return patterns.matches(self.pattern, event)


def at(event: Json, path: str) -> Json:
    """Return what stands in an event at a path such as `$.detail.ModelPackageArn`.

    Raises:
        LookupError: there is nothing.
    """
    value: Any = event
    for name, index in _PATH_PART.findall(path):
        try:
            value = value[name or int(index)]
        except (LookupError, TypeError):
            raise LookupError(path) from None
    return value


def told(rule: str, target: Target, event: JsonObject) -> str:
    """Return the text that a target is told of an event, as a mail would have it.

    Args:
        rule: the name of the rule.
        target: whom it tells.
        event: of what.
    """
    if target.text is None:
        return f"{event['detail-type']}: {', '.join(event['resources'])}"

    def variable(found: re.Match[str]) -> str:
        written = target.variables.get(found[1])
        if written is None:
            return found[0]
        if found[1] in OWN_VARIABLES:
            return _own_variable(found[1], rule, event)
        if not isinstance(written, EventPath):
            return written
        try:
            value = at(event, written)
        except LookupError:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    text = VARIABLE.sub(variable, target.text).strip()
    is_quoted = text.startswith('"') and text.endswith('"')
    return text[1:-1] if is_quoted else text


def _own_variable(name: str, rule: str, event: JsonObject) -> str:
    match name.removeprefix("aws.events."):
        case "rule-name":
            return rule
        case "rule-arn":
            return f"arn:aws:events:{event['region']}:{event['account']}:rule/{rule}"
        case "event.ingestion-time":
            return str(event["time"])
        case "event":
            return json.dumps({key: value for key, value in event.items() if key != "detail"})
        case _:
            return json.dumps(event)
