"""The AWS JSON 1.1 protocol: `X-Amz-Target` names the operation, request and answer are JSON."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.api.constraints import refusal
from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.model import service_model
from pipelines.backends.local.api.values import SerializationError, parse, serialize
from pipelines.backends.local.errors import ServiceError
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

Operation: TypeAlias = Callable[..., JsonObject]

_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
_log = logging.getLogger("pipelines.api")


class RefusedCallError(Exception):
    """A request that the protocol refuses, with the error code to answer."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@frozen
class JsonService:
    """One service of this protocol.

    Args:
        name: as boto3's clients are named; its model says what requests and answers hold.
        operations: finds what carries an operation out, by its name in CamelCase; None where
            the local SageMaker does not have it.
    """

    name: str
    operations: Callable[[str], Operation | None]

    def answer(self, request: Request) -> Answer:
        """Carry out the operation that a request names."""
        name = operation_name(request)
        shown = f"{self.name}.{name}"
        try:
            content = self._call(name, request.body)
        except RefusedCallError as error:
            return refused(error.code, str(error), shown)
        except ServiceError as error:
            return refused(error.code, told(error), shown)
        except PipelinesError as error:
            return refused("ValidationException", told(error), shown)
        return Answer(200, _HEADERS, json.dumps(content).encode(), shown)

    def _call(self, name: str, body: bytes) -> JsonObject:
        model = service_model(self.name)
        operation = self.operations(name) if name in model.operation_names else None
        if operation is None:
            raise RefusedCallError("UnknownOperationException", _unknown(self.name, name))
        described = model.operation_model(name)
        given = _validated(described.input_shape, _read(body))
        response = operation(**given)
        stray: list[str] = []
        shape = described.output_shape
        content = serialize(shape, response, stray, name) if shape else {}
        if stray:
            _log.error("our bug: the model has no member %s", ", ".join(stray))
        return dict(content)


def operation_name(request: Request) -> str:
    """Take the operation's name out of a request."""
    return request.headers.get("x-amz-target", "").rpartition(".")[2]


def refused(code: str, message: str, operation: str, status: int = 400) -> Answer:
    """Answer with an error as the service writes it."""
    content = {"__type": code, "message": message}
    headers = {**_HEADERS, "x-amzn-ErrorType": code}
    return Answer(status, headers, json.dumps(content).encode(), operation)


def bug(request: Request) -> Answer:
    """Answer that something of ours is broken; the log has the traceback."""
    message = "this is a bug in pipelines: the log of the local SageMaker has the traceback"
    return refused("InternalFailure", message, operation_name(request), 500)


def told(error: PipelinesError) -> str:
    """Write an error on one line."""
    return f"{error.problem.removesuffix('.')}; {error.remedy}" if error.remedy else error.problem


def _unknown(service: str, name: str) -> str:
    return f"the local SageMaker does not have the operation {name} of {service}"


def _read(body: bytes) -> Json:
    try:
        return json.loads(body or b"{}")
    except ValueError:
        raise RefusedCallError("SerializationException", "the request is no JSON") from None


def _validated(shape: Json, value: Json) -> JsonObject:
    if shape is None:
        return {}
    try:
        given: JsonObject = parse(shape, value)
    except SerializationError as error:
        raise RefusedCallError("SerializationException", str(error)) from None
    message = refusal(shape, given)
    if message is not None:
        raise RefusedCallError("ValidationException", message)
    return given
