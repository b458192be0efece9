"""sagemaker-runtime: `POST /endpoints/<name>/invocations`, the body as it is."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from functools import cache
from urllib.parse import unquote

from pipelines.backends.local.api.constraints import refusal
from pipelines.backends.local.api.json_rpc import told
from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.model import service_model
from pipelines.backends.local.errors import ServiceError
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<operation>[a-z-]*invocations[a-z-]*)")
LONGEST = 26 << 20
"""Bytes: what any endpoint takes is less; the endpoint itself says how much."""

COLD_START = "x-pipelines-cold-start-seconds"
"""Our own header: how long a server's start took that the request had to wait for."""

_OPERATION = "InvokeEndpoint"
_STATUS = {
    "ModelError": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "ServiceUnavailable": 503,
    "InternalFailure": 500,
    "MethodNotAllowed": 405,
}


@frozen
class Runtime:
    """The service; `invoke` is LocalSageMaker's `invoke_endpoint`."""

    invoke: Callable[..., JsonObject]

    def answer(self, request: Request) -> Answer:
        """Invoke an endpoint."""
        match = PATH.fullmatch(request.path)
        if match is None or match["operation"] != "invocations":
            return _refused("UnknownOperationException", _unknown(request.path), {})
        if request.method != "POST":
            return _refused("MethodNotAllowed", f"POST a request, do not {request.method} it", {})
        given: JsonObject = {"EndpointName": unquote(match["name"]), "Body": request.body}
        for member, header in _headers("input").items():
            if header in request.headers:
                given[member] = request.headers[header]
        message = refusal(_shape(), {**given, "Body": b""})
        if message is not None:
            return _refused("ValidationError", message, {})
        try:
            response = self.invoke(**given)
        except ServiceError as error:
            return _refused(error.code, told(error), error.members)
        except PipelinesError as error:
            return _refused("ValidationError", told(error), {})
        return _answered(response)


def bug(_request: Request) -> Answer:
    """Answer that something of ours is broken; the log has the traceback."""
    message = "this is a bug in pipelines: the log of the local SageMaker has the traceback"
    return _refused("InternalFailure", message, {})


def _answered(response: JsonObject) -> Answer:
    headers = {
        header: str(response[member])
        for member, header in _headers("output").items()
        if response.get(member) is not None
    }
    if "ColdStartSeconds" in response:
        headers[COLD_START] = str(response["ColdStartSeconds"])
    return Answer(200, headers, response["Body"], _OPERATION)


def _refused(code: str, message: str, members: Mapping[str, str | int]) -> Answer:
    content = {"Message": message, **members}
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    body = json.dumps(content).encode()
    return Answer(_STATUS.get(code, 400), headers, body, _OPERATION)


def _unknown(path: str) -> str:
    return f"the local SageMaker does not have what `{path}` asks of its runtime"


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
