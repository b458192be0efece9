"""A rule of EventBridge: which events it takes, and what it hands them to."""

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

OWN_VARIABLES: Final = ("aws.events.rule-name", "aws.events.event.json")
"""Those that need no path."""

JSON_PATH: Final = re.compile(r"\$(?:\.[A-Za-z0-9_-]+|\[[0-9]+\])*")
_PATH_PART: Final = re.compile(r"\.([A-Za-z0-9_-]+)|\[([0-9]+)\]")
_PIPELINE: Final = re.compile(r"arn:aws:sagemaker:[^:]*:[^:]*:pipeline/([^/]+)")


@frozen
class Target:
    """What an event is handed to.

    Args:
        id: its id in the rule.
        arn: what it is.
        parameters: of a pipeline's execution: name → value, or a path into the event.
        paths: the variables of `text`: name → path.
        text: what is told; None for the event itself.
    """

    id: str
    arn: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)
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


def is_path(value: str) -> bool:
    """Return whether the value of a parameter stands for what is at a path of the event."""
    return value.startswith(("$.", "$["))


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


def told(rule: Rule, target: Target, event: JsonObject) -> str:
    """Return the text that a target is told of an event, as a mail would have it."""
    if target.text is None:
        return f"{event['detail-type']}: {', '.join(event['resources'])}"
    values = {OWN_VARIABLES[0]: rule.name, OWN_VARIABLES[1]: json.dumps(event)}

    def variable(found: re.Match[str]) -> str:
        name = found[1]
        try:
            value = values[name] if name in values else at(event, target.paths[name])
        except LookupError:
            return ""
        return value if isinstance(value, str) else json.dumps(value)

    text = VARIABLE.sub(variable, target.text).strip()
    is_quoted = text.startswith('"') and text.endswith('"')
    return text[1:-1] if is_quoted else text
