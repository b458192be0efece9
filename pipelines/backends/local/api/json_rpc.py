"""The AWS JSON 1.1 protocol: `X-Amz-Target` names the operation, the bodies are JSON."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable
from typing import Final

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.backends.local.api.shapes import from_json, to_json
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.operations.operation import Operation
from pipelines.backends.local.state.database import StateError
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}
_UNREADABLE: Final = "SerializationException"
_MAY_HAVE_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F]")
_log = logging.getLogger("pipelines.api")


@frozen
class JsonService:
    """One service of this protocol.

    Args:
        name: as boto3's clients are named.
        operations: finds an operation by its service and name.
    """

    name: str
    operations: Callable[[str, str], Operation]

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Carry out the operation that a request names.

        Raises:
            StateError: the state cannot be used, which is no fault of the request.
        """
        name = operation_name(request)
        shown = f"{self.name}.{name}"
        try:
            content = self._call(name, request.body)
        except ServiceError as error:
            return refused(error.code, one_line(error), shown)
        except StateError:
            raise
        except PipelinesError as error:
            return refused("ValidationException", one_line(error), shown)
        return HttpResponse(200, _HEADERS, json.dumps(content).encode(), shown)

    def _call(self, name: str, body: bytes) -> JsonObject:
        operation = self.operations(self.name, name)
        response = operation(**_members(operation, _read(body)))
        unknown: list[str] = []
        shape = operation.response
        content = to_json(response, shape, operation.shapes, unknown, name) if shape else {}
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


def _read(body: bytes) -> Json:
    try:
        value = json.loads(body or b"{}", parse_constant=_refuse_constant)
        if _MAY_HAVE_SURROGATES.search(body):
            json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ServiceError(_UNREADABLE, "the request is nested too deeply") from None
    except ValueError:
        raise ServiceError(_UNREADABLE, "the request is not valid JSON") from None
    return value


def _refuse_constant(name: str) -> Json:
    raise ValueError(name)


def _members(operation: Operation, value: Json) -> JsonObject:
    if not isinstance(value, dict):
        raise ServiceError(_UNREADABLE, "the request is not a JSON object")
    shape = operation.request
    members: JsonObject = from_json(value, shape, operation.shapes) if shape else value
    return members
