"""The trainings of a definition that go on with the checkpoints of an earlier execution."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from pipelines.definition.steps import take_apart
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes.places import value_at

_PREFIX: Final = re.compile(r"s3://[^/]+/([^/]+)/runs/([^/]+)/[^/]+/checkpoints")


@frozen
class ResumedTraining:
    """A step, the execution whose checkpoints it goes on with, of which pipeline, and where."""

    step: str
    pipeline: str
    execution: str
    uri: str


def resumed_in(definition: JsonObject) -> Iterator[ResumedTraining]:
    """Yield each step whose prefix names an execution: that of its own would be a function."""
    for step in take_apart(definition).steps:
        uri = value_at(step.arguments, "CheckpointConfig.S3Uri")
        found = _PREFIX.fullmatch(uri) if isinstance(uri, str) else None
        if found is not None:
            yield ResumedTraining(step.name, found[1], found[2], found[0])
