"""sagemaker-runtime: `POST /endpoints/<name>/invocations`, with the body as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import unquote

from pipelines.backends.local.api.json_rpc import one_line
from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.backends.local.api.shapes import service_model, violations
from pipelines.backends.local.errors import ServiceError
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<operation>[a-z-]*invocations[a-z-]*)")
LONGEST = 26 << 20
"""Bytes: more than any endpoint accepts; the endpoint itself reports its own limit."""

COLD_START = "x-pipelines-cold-start-seconds"
"""Our own header: how long a server took to start that the request had to wait for."""

_OPERATION = "InvokeEndpoint"
_STATUS = {
    "ModelError": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "ServiceUnavailable": 503,
    "MethodNotAllowed": 405,
}


@frozen
class RuntimeService:
    """The service; `invoke` is LocalSageMaker's `invoke_endpoint`."""

    invoke: Callable[..., JsonObject]

    def respond(self, request: HttpRequest) -> HttpResponse:
        """Invoke an endpoint."""
        match = PATH.fullmatch(request.path)
        if match is None or match["operation"] != "invocations":
            return _refused("UnknownOperationException", _unknown(request.path), {})
        if request.method != "POST":
            return _refused("MethodNotAllowed", f"{request.method} is not supported, use POST", {})
        given: JsonObject = {"EndpointName": unquote(match["name"]), "Body": request.body}
        for member, header in _headers("input").items():
            if header in request.headers:
                given[member] = request.headers[header]
        message = violations(_shape(), {**given, "Body": b""})
        if message is not None:
            return _refused("ValidationError", message, {})
        try:
            response = self.invoke(**given)
        except ServiceError as error:
            return _refused(error.code, one_line(error), error.members)
        except PipelinesError as error:
            return _refused("ValidationError", one_line(error), {})
        return _response(response)


def refuse(_request: HttpRequest, refusal: HttpRefusal) -> HttpResponse:
    """Write a refusal as the service does."""
    return _refused(refusal.code, refusal.message, {}, refusal.status)


def _response(response: JsonObject) -> HttpResponse:
    headers = {
        header: str(response[member])
        for member, header in _headers("output").items()
        if response.get(member) is not None
    }
    if "ColdStartSeconds" in response:
        headers[COLD_START] = str(response["ColdStartSeconds"])
    return HttpResponse(200, headers, response["Body"], _OPERATION)


def _refused(
    code: str, message: str, members: Mapping[str, str | int], status: int = 400
) -> HttpResponse:
    content = {"Message": message, **members}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    body = json.dumps(content).encode()
    return HttpResponse(_STATUS.get(code, status), headers, body, _OPERATION)


def _unknown(path: str) -> str:
    return f"the local SageMaker does not have `{path}` of its runtime"


@cache
def _headers(direction: str) -> dict[str, str]:
    """Map members to the lower-case names of the headers that carry them."""
    operation: Json = service_model("sagemaker-runtime").operation_model(_OPERATION)
    shape = operation.input_shape if direction == "input" else operation.output_shape
    return {
        member: part.serialization["name"].lower()
        for member, part in shape.members.items()
        if part.serialization.get("location") == "header"
    }


@cache
def _shape() -> Json:
    return service_model("sagemaker-runtime").operation_model(_OPERATION).input_shape
