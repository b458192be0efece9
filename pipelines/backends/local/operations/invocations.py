"""InvokeEndpoint: a request → the fleet of a variant → its response; InvokeEndpointAsync: later."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting import capture
from pipelines.backends.local.hosting.asynchronous import (
    TTL_SECONDS,
    AsynchronousRequest,
    AsynchronousRequests,
)
from pipelines.backends.local.hosting.provisioner import (
    Provisioner,
    ServedEndpoint,
    ServedEndpoints,
)
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetStoppedError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.hosting.variants import at_once
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.state.endpoints import EndpointRecord, VariantRecord
from pipelines.backends.local.waiting import BLOCKING, Waiting, in_this_thread
from pipelines.errors import PipelinesError
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_HEADERS = {
    "CustomAttributes": "X-Amzn-SageMaker-Custom-Attributes",
    "TargetModel": "X-Amzn-SageMaker-Target-Model",
    "TargetContainerHostname": "X-Amzn-SageMaker-Target-Container-Hostname",
    "InferenceId": "X-Amzn-SageMaker-Inference-Id",
    "EnableExplanations": "X-Amzn-SageMaker-Enable-Explanations",
    "SessionId": "X-Amzn-SageMaker-Session-Id",
}
_CUSTOM = "x-amzn-sagemaker-custom-attributes"
_ASYNCHRONOUS = "InvokeEndpointAsync"
_ASYNCHRONOUS_BYTES = 1 << 30
_SERVERLESS_BYTES = 4 << 20
_REAL_TIME_BYTES = 25 << 20
"""The service's limits (FACTS 2.4, 2.5); for real-time bodies its guide also says 6 MB."""

_BAD_REQUEST, _SERVER_ERROR = 400, 500


class ModelError(ServiceError):
    """The container refused a request, or did not respond.

    Attributes:
        members: what the service's ModelError has besides its message.
    """

    def __init__(self, status: int, body: str, variant: str, log: str) -> None:
        side = "client" if _BAD_REQUEST <= status < _SERVER_ERROR else "server"
        super().__init__(
            "ModelError",
            f'Received {side} error ({status}) from {variant} with message "{body}".'
            f" See {log} for more information.",
        )
        self.members = {
            "OriginalStatusCode": status,
            "OriginalMessage": body,
            "LogStreamArn": log,
        }


@frozen
class InvocationOperations:
    """Sends requests to the fleets of endpoints."""

    context: OperationContext
    provisioner: Provisioner
    served: ServedEndpoints
    objects: ObjectStore
    asynchronous: AsynchronousRequests

    @operation("InvokeEndpoint", "sagemaker-runtime")
    async def invoke_endpoint(self, waiting: Waiting, /, **request: Json) -> JsonObject:
        """Process a request; fleets of an endpoint that are not running are started first.

        Returns:
            Body (bytes), ContentType, InvokedProductionVariant, CustomAttributes if the container
            returned some, and ColdStartSeconds if a server had to be started.

        Raises:
            ServiceError: ValidationError for an endpoint that is not in service and for a body
                that is too large, ThrottlingException above a serverless variant's concurrency.
            ModelError: the container responded with 400 or more, or not at all.
        """
        return await self._answer("InvokeEndpoint", bytes(request["Body"]), request, waiting)

    @operation("InvokeEndpointAsync", "sagemaker-runtime")
    def invoke_endpoint_async(self, **request: Json) -> JsonObject:
        """Accept a request, and process it in the background.

        Raises:
            ServiceError: ValidationError for an endpoint that is not in service or not
                asynchronous, and for a request with no body or two.
        """
        name = request["EndpointName"]
        variant = self._in_service(name, _ASYNCHRONOUS).variants[0]
        config = variant.asynchronous or {}
        source, inline = request.get("InputLocation"), request.get("Body")
        if (source is None) == (inline is None):
            raise ServiceError("ValidationError", "give either InputLocation or Body")
        if source is not None and not source.startswith("s3://"):
            message = "the local SageMaker reads requests from the local S3 only"
            raise ServiceError("ValidationError", message, "name an s3:// URI as InputLocation")
        inference = request.get("InferenceId") or str(uuid.uuid4())
        output, failure = _locations(config["OutputConfig"], request)
        accepted = AsynchronousRequest(
            name,
            inference,
            config,
            source,
            self._reader(source, inline),
            lambda body: self._content(body, request),
            output,
            failure,
            self.context.now(),
            request.get("RequestTTLSeconds") or TTL_SECONDS,
            self.served.folder(name) / f"{variant.name}.log",
        )
        self.asynchronous.submit(accepted, at_once(variant))
        return {
            "InferenceId": inference,
            "OutputLocation": output,
            "FailureLocation": failure,
        }

    def _reader(self, source: str | None, inline: bytes | None) -> Callable[[], bytes]:
        """Return what reads the body of an asynchronous request."""
        if source is None:
            return lambda: inline or b""
        return lambda: self.objects.get_bytes(source)

    def _content(self, body: bytes, request: JsonObject) -> tuple[bytes, str]:
        answer = in_this_thread(self._answer(_ASYNCHRONOUS, body, request, BLOCKING))
        return answer["Body"], answer["ContentType"]

    async def _answer(
        self, operation: str, body: bytes, request: JsonObject, waiting: Waiting
    ) -> JsonObject:
        """Let the endpoint process a body, whichever fleets serve it meanwhile."""
        invocation = Invocation(
            body,
            request.get("ContentType") or "application/json",
            request.get("Accept") or "*/*",
            {header: str(request[name]) for name, header in _HEADERS.items() if name in request},
        )
        found = None
        while found is None:
            with suppress(FleetStoppedError):  # replaced by another one since the look-up
                found = await self._invoke(operation, invocation, request, waiting)
        variant, response = found
        place = f"{request['EndpointName']}/{variant.name}"
        if response.status >= _BAD_REQUEST:
            message = response.body.decode("utf-8", "replace")
            log = f"{self.served.folder(place)}.log"
            raise ModelError(response.status, message, variant.name, log)
        if variant.capture is not None and capture.is_due(variant.capture):
            exchange = invocation, response
            await waiting.call(partial(self._capture, place, variant.capture, exchange))
        return _response(variant, response)

    async def _invoke(
        self, operation: str, invocation: Invocation, request: JsonObject, waiting: Waiting
    ) -> tuple[VariantRecord, InvocationResponse]:
        """Send a request to a variant of the endpoint that it names."""
        name = request["EndpointName"]
        try:
            served = await self._serving(name, operation, waiting)
            variant, fleet = served.choose(request.get("TargetVariant"))
            _check_size(variant, invocation)
            _check_target(variant, request)
            for mirror in served.mirrors:
                mirror.copy(invocation, waiting)
            return variant, await fleet.answer(invocation, waiting)
        except FleetStoppedError:
            raise
        except FleetBusy:
            raise ServiceError(
                "ThrottlingException",
                f"Rate exceeded: {name} is processing as many requests as its MaxConcurrency"
                " allows",
            ) from None
        except FleetError as error:
            raise ModelError(0, error.reason, name, str(self.served.folder(name))) from None

    def _capture(
        self, place: str, config: JsonObject, exchange: tuple[Invocation, InvocationResponse]
    ) -> None:
        """Keep a request and its answer; what cannot be kept holds up no answer."""
        with suppress(PipelinesError, OSError):
            capture.keep(self.objects, config, place, exchange, self.context.now())

    async def _serving(self, name: str, operation: str, waiting: Waiting) -> ServedEndpoint:
        """Find the fleets of an endpoint; what has not changed since the last request is known."""
        endpoint = self.context.state.endpoints.known(name)
        if endpoint is None or endpoint.pending_config or endpoint.live_change is None:
            endpoint = await waiting.call(partial(self._in_service, name, operation))
        else:
            _check_operation(endpoint, operation)
        served = self.served.current(endpoint)
        if served is not None:
            return served
        return await waiting.call(partial(self._start, name, operation))

    def _start(self, name: str, operation: str) -> ServedEndpoint:
        """Start the fleets of what is in service, which nobody changes here meanwhile."""
        with self.served.lock(name):
            return self.served.serve(self._in_service(name, operation))

    def _in_service(self, name: str, operation: str) -> EndpointRecord:
        endpoint = self.context.state.endpoints.look(name)
        if endpoint is not None:
            self.provisioner.ensure_running(endpoint)
        if endpoint is None or endpoint.live_change is None:
            account = self.context.settings.account
            state = f" It is {endpoint.status}." if endpoint else ""
            raise ServiceError(
                "ValidationError", f"Endpoint {name} of account {account} not found.{state}"
            )
        _check_operation(endpoint, operation)
        return endpoint


def _check_operation(endpoint: EndpointRecord, operation: str) -> None:
    is_asynchronous = endpoint.variants[0].asynchronous is not None
    if is_asynchronous != (operation == _ASYNCHRONOUS):
        fact, other = ("", _ASYNCHRONOUS) if is_asynchronous else ("not ", "InvokeEndpoint")
        message = f"Endpoint {endpoint.name} is {fact}asynchronous"
        raise ServiceError("ValidationError", message, f"use {other}")


def _locations(output: JsonObject, request: JsonObject) -> tuple[str, str]:
    """Return where the answer will be, and where the error.

    The service keeps no errors without S3FailurePath. Here they are among the answers then: who
    waits for an answer learns that there is none.
    """
    unique = str(uuid.uuid4())
    folders = (output["S3OutputPath"], request.get("S3OutputPathExtension") or "")
    folder = "/".join(part.strip("/") for part in folders if part)
    file = request.get("Filename") or f"{unique}.out"
    failures = (output.get("S3FailurePath") or folder).rstrip("/")
    return f"{folder}/{file}", f"{failures}/{unique}-error.out"


def _check_target(variant: VariantRecord, request: JsonObject) -> None:
    if request.get("TargetModel") and variant.container.get("Mode") != "MultiModel":
        message = f"TargetModel names a model, but {variant.name} is no multi-model endpoint"
        raise ServiceError("ValidationError", message)


def _check_size(variant: VariantRecord, invocation: Invocation) -> None:
    kind, most = "real-time", _REAL_TIME_BYTES
    if variant.serverless:
        kind, most = "serverless", _SERVERLESS_BYTES
    elif variant.asynchronous:
        kind, most = "asynchronous", _ASYNCHRONOUS_BYTES
    if len(invocation.body) > most:
        raise ServiceError(
            "ValidationError",
            f"the body has {len(invocation.body)} bytes; a {kind} endpoint takes at most {most}",
        )


def _response(variant: VariantRecord, response: InvocationResponse) -> JsonObject:
    members: JsonObject = {
        "Body": response.body,
        "ContentType": response.content_type,
        "InvokedProductionVariant": variant.name,
    }
    if _CUSTOM in response.headers:
        members["CustomAttributes"] = response.headers[_CUSTOM]
    if response.cold_start_seconds is not None:
        members["ColdStartSeconds"] = round(response.cold_start_seconds, 3)
    return members
