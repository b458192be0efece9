"""What is asked of a fleet and what it answers: values and errors only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

IDLE_SECONDS = 300.0


@frozen
class FleetSpec:
    """What a fleet serves.

    Args:
        name: `endpoint/config/variant`, for the log and the job folder.
        container: `Image`, `ModelDataUrl`, `Environment` as CreateModel or a package gives them.
        workers: how many requests are answered at once.
        serverless: whether it starts on the first request, stops after `idle_seconds`, and
            refuses more than `workers` requests at once.
        log: the file that the server and the user's code write to.
        idle_seconds: how long a serverless fleet waits for the next request.
    """

    name: str
    container: JsonObject
    workers: int
    serverless: bool
    log: Path
    idle_seconds: float = IDLE_SECONDS


@frozen
class Invocation:
    """A request; `headers` are the further ones, such as X-Amzn-SageMaker-Custom-Attributes."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = field(default_factory=dict)


@frozen
class Answer:
    """What the container answered; a status of 400 or more is its own.

    Args:
        status: the HTTP status.
        body: the body.
        content_type: the media type, with its parameters.
        headers: the headers X-Amzn-SageMaker-…, by their names in lower case.
        cold_start_seconds: how long the server's start took, told with its first answer only.
    """

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    cold_start_seconds: float | None = None


class FleetError(Exception):
    """The model does not load, or does not answer: `reason` is one line for FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoppedError(FleetError):
    """The fleet was stopped: another one has taken its place, or none."""


class Busy(Exception):  # noqa: N818 - a state, answered with 429; nothing is wrong
    """A serverless fleet answers as many requests as it may already."""
