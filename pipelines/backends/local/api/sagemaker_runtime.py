"""sagemaker-runtime: `POST /endpoints/<name>/invocations` or `async-invocations`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from urllib.parse import unquote

from pipelines.backends.local.api.json_rpc import one_line
from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.operations.operation import Operation
from pipelines.backends.local.state.database import StateError
from pipelines.backends.local.waiting import Waiting
from pipelines.errors import PipelinesError
from pipelines.json_types import JsonObject
from pipelines.steptypes.shapes import Shape

PATH = re.compile(r"/endpoints/(?P<name>[^/]+)/(?P<operation>[a-z-]*invocations[a-z-]*)")
_NUMBER = re.compile(r"[0-9]{1,9}")  # what is none is refused by the operation's shape
LONGEST = 26 << 20
"""Bytes: more than any endpoint accepts; the endpoint itself reports its own limit."""

COLD_START = "x-pipelines-cold-start-seconds"
"""Our own header: how long a server took to start that the request had to wait for."""

_MOST_KNOWN = 256
"""Requests that are remembered as legal; each client's differ in few ways, if in any."""

_OPERATION = "InvokeEndpoint"
_OPERATIONS = {"invocations": _OPERATION, "async-invocations": "InvokeEndpointAsync"}
_ACCEPTED = 202
_CODES = {
    "SerializationException": "ValidationError",
    "ValidationException": "ValidationError",
}
"""The runtime's own code for a request that its model refuses."""

_STATUS = {
    "ModelError": 424,
    "ModelNotReadyException": 429,
    "ThrottlingException": 429,
    "ServiceUnavailable": 503,
    "MethodNotAllowed": 405,
}


class RuntimeService:
    """The service; `find` finds an operation by its service and name."""

    def __init__(self, find: Callable[[str, str], Operation]) -> None:
        self._find = find
        self._found: dict[str, Operation] = {}
        self._legal: set[tuple[object, ...]] = set()

    async def respond(self, waiting: Waiting, request: HttpRequest) -> HttpResponse:
        """Invoke an endpoint.

        Raises:
            StateError: the state cannot be used, which is no fault of the request.
        """
        match = PATH.fullmatch(request.path)
        if match is None or match["operation"] not in _OPERATIONS:
            return _refused("UnknownOperationException", _unknown(request.path), {})
        if request.method != "POST":
            return _refused("MethodNotAllowed", f"{request.method} is not supported, use POST", {})
        name = _OPERATIONS[match["operation"]]
        invoke = self._found.get(name)
        if invoke is None:
            invoke = await waiting.call(partial(self._find, "sagemaker-runtime", name))
            self._found[name] = invoke
        given: JsonObject = {"EndpointName": unquote(match["name"]), **_in_headers(request, invoke)}
        if request.body or match["operation"] == "invocations":
            given["Body"] = request.body
        try:
            response = await invoke.function(waiting, **self._checked(invoke, given))
        except ServiceError as error:
            code = _CODES.get(error.code, error.code)
            return _refused(code, one_line(error), error.members)
        except StateError:
            raise
        except PipelinesError as error:
            return _refused("ValidationError", one_line(error), {})
        return _response(response, invoke)

    def _checked(self, invoke: Operation, given: JsonObject) -> JsonObject:
        """Check the members of a request, but for a body; those that were legal once are known.

        Raises:
            ServiceError: it was refused.
        """
        key = (invoke.name, *(one for one in given.items() if one[0] != "Body"))
        if key in self._legal:
            return given
        checked = invoke.checked(given)
        if len(self._legal) >= _MOST_KNOWN:
            self._legal.clear()
        self._legal.add(key)
        return checked


def _in_headers(request: HttpRequest, invoke: Operation) -> JsonObject:
    """Return the members of a request that are headers."""
    given: JsonObject = {}
    for member, header in _headers(invoke.request):
        if header in request.headers:
            value = request.headers[header]
            is_number = member.endswith("Seconds") and _NUMBER.fullmatch(value)
            given[member] = int(value) if is_number else value
    return given


def refuse(_request: HttpRequest, refusal: HttpRefusal) -> HttpResponse:
    """Write a refusal as the service does."""
    return _refused(refusal.code, refusal.message, {}, refusal.status)


def _response(response: JsonObject, invoke: Operation) -> HttpResponse:
    headers = {
        header: str(response[member])
        for member, header in _headers(invoke.response)
        if response.get(member) is not None
    }
    if "ColdStartSeconds" in response:
        headers[COLD_START] = str(response["ColdStartSeconds"])
    if "InferenceId" in response:  # of InvokeEndpointAsync, whose answer comes later
        body = json.dumps({"InferenceId": response["InferenceId"]}).encode()
        headers["Content-Type"] = "application/json"
        return HttpResponse(_ACCEPTED, headers, body, _OPERATIONS["async-invocations"])
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


def _headers(shape: Shape | None) -> Iterable[tuple[str, str]]:
    """Return each member that travels in a header, with that header's name in lower case."""
    return shape.headers.items() if shape else ()
