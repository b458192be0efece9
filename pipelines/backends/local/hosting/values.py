"""What a fleet is asked for and what it returns: values and errors only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from pathlib import Path

from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

IDLE_SECONDS = 300.0

ASYNCHRONOUS_SECONDS = 900.0
"""How long an asynchronous request may take by default (FACTS 2.5)."""

INVOCATION_SECONDS = 60.0
"""How long a container may take to process a request (FACTS 3.4)."""


@frozen
class FleetSpec:
    """What a fleet serves.

    Args:
        name: `endpoint/variant`, for the log and the job folder.
        container: `Image`, `ModelDataUrl`, `Environment` as CreateModel or a package has them.
        workers: how many requests are processed at once.
        serverless: whether it starts on the first request, stops after `idle_seconds`, and
            refuses more than `workers` requests at once.
        log: the file that the server and the user's code write to.
        idle_seconds: how long a serverless fleet waits for the next request.
        invocation_seconds: how long a request may take.
    """

    name: str
    container: JsonObject
    workers: int
    serverless: bool
    log: Path
    idle_seconds: float = IDLE_SECONDS
    invocation_seconds: float = INVOCATION_SECONDS


@frozen
class Invocation:
    """A request; `headers` are further ones, such as X-Amzn-SageMaker-Custom-Attributes."""

    body: bytes
    content_type: str
    accept: str
    headers: Mapping[str, str] = field(default_factory=dict)


@frozen
class InvocationResponse:
    """A container's response; a status of 400 or more is its own.

    Args:
        status: the HTTP status.
        body: the body.
        content_type: the media type, with its parameters.
        headers: the X-Amzn-SageMaker-… headers, by lower-case name.
        cold_start_seconds: how long the server took to start; set on its first response only.
    """

    status: int
    body: bytes
    content_type: str
    headers: Mapping[str, str]
    cold_start_seconds: float | None = None


class FleetError(Exception):
    """The model does not load, or does not respond: `reason` is one line for FailureReason."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class FleetStoppedError(FleetError):
    """The fleet was stopped: another one may have replaced it."""


class NotBegunError(FleetError):
    """A server has ended before it began the request: another one can process it."""


class FleetBusy(Exception):  # noqa: N818 - a state, reported as 429; nothing is wrong
    """A serverless fleet is processing as many requests as it may."""
