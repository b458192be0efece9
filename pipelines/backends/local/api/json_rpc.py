"""The AWS JSON 1.1 protocol: `X-Amz-Target` names the operation, the bodies are JSON."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.backends.local.api.shapes import (
    SerializationError,
    parse_request,
    serialize,
    service_model,
    violations,
)
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.operations.context import Operation
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
_UNREADABLE = "SerializationException"
_MAY_HAVE_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F]")
_log = logging.getLogger("pipelines.api")


class RefusedCallError(Exception):
    """A request that the protocol refuses, with its error code."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@frozen
class JsonService:
    """One service of this protocol.

    Args:
        name: as boto3's clients are named; its model describes requests and responses.
        operations: finds an operation by its CamelCase name; None if the local SageMaker does
            not have it.
    """

    name: str
    operations: Callable[[str], Operation | None]

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Carry out the operation that a request names."""
        name = operation_name(request)
        shown = f"{self.name}.{name}"
        try:
            content = self._call(name, request.body)
        except RefusedCallError as error:
            return refused(error.code, str(error), shown)
        except ServiceError as error:
            return refused(error.code, one_line(error), shown)
        except PipelinesError as error:
            return refused("ValidationException", one_line(error), shown)
        return HttpResponse(200, _HEADERS, json.dumps(content).encode(), shown)

    def _call(self, name: str, body: bytes) -> JsonObject:
        model = service_model(self.name)
        operation = self.operations(name) if name in model.operation_names else None
        if operation is None:
            raise RefusedCallError("UnknownOperationException", _unknown(self.name, name))
        described = model.operation_model(name)
        given = _validated(described.input_shape, _read(body))
        response = operation(**given)
        unknown: list[str] = []
        shape = described.output_shape
        content = serialize(shape, response, unknown, name) if shape else {}
        if unknown:
            _log.error("internal error: the model has no member %s", ", ".join(unknown))
        return dict(content)


def operation_name(request: HttpRequest) -> str:
    """Return the name of the operation that a request asks for."""
    return request.headers.get("x-amz-target", "").rpartition(".")[2]


def refused(code: str, message: str, operation: str, status: int = 400) -> HttpResponse:
    """Return an error as the service writes it."""
    content = {"__type": code, "message": message}
    headers = {**_HEADERS, "x-amzn-ErrorType": code}
    return HttpResponse(status, headers, json.dumps(content).encode(), operation)


def refuse(request: HttpRequest, refusal: HttpRefusal) -> HttpResponse:
    """Write a refusal as the service does."""
    return refused(refusal.code, refusal.message, operation_name(request), refusal.status)


def one_line(error: PipelinesError) -> str:
    """Write an error on one line."""
    return f"{error.problem.removesuffix('.')}; {error.remedy}" if error.remedy else error.problem


def _unknown(service: str, name: str) -> str:
    return f"the local SageMaker does not have the operation {name} of {service}"


def _read(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}", parse_constant=_refuse_constant)
        if _MAY_HAVE_SURROGATES.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise RefusedCallError(_UNREADABLE, "the request is nested too deeply") from None
    except ValueError:
        raise RefusedCallError(_UNREADABLE, "the request is not valid JSON") from None
    return value


def _refuse_constant(name: str) -> Json:
    raise ValueError(name)


def _validated(shape: Json, value: Json) -> JsonObject:
    if shape is None:
        return {}
    try:
        given: JsonObject = parse_request(shape, value)
    except SerializationError as error:
        raise RefusedCallError(_UNREADABLE, str(error)) from None
    message = violations(shape, given)
    if message is not None:
        raise RefusedCallError("ValidationException", message)
    return given
