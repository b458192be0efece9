"""InvokeEndpoint: a request → the fleet of a variant → the container's response."""

from __future__ import annotations

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting.provisioner import Provisioner, ServedEndpoints
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetStoppedError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.state.endpoints import EndpointRecord, VariantRecord
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

    @operation("InvokeEndpoint", "sagemaker-runtime")
    def invoke_endpoint(self, **request: Json) -> JsonObject:
        """Process a request; fleets of an endpoint that are not running are started first.

        Returns:
            Body (bytes), ContentType, InvokedProductionVariant, CustomAttributes if the container
            returned some, and ColdStartSeconds if a server had to be started.

        Raises:
            ServiceError: ValidationError for an endpoint that is not in service and for a body
                that is too large, ThrottlingException above a serverless variant's concurrency.
            ModelError: the container responded with 400 or more, or not at all.
        """
        invocation = Invocation(
            bytes(request["Body"]),
            request.get("ContentType") or "application/json",
            request.get("Accept") or "*/*",
            {
                header: str(request[name])
                for name, header in _HEADERS.items()
                if request.get(name) is not None
            },
        )
        while True:
            try:
                return self._invoke(request["EndpointName"], invocation, request)
            except FleetStoppedError:
                continue  # replaced by another fleet between the look-up and the call

    def _invoke(self, name: str, invocation: Invocation, request: JsonObject) -> JsonObject:
        endpoint = self._in_service(name)
        log = self.served.folder(name)
        try:
            variant, fleet = self.served.serve(endpoint).choose(request.get("TargetVariant"))
            _check_size(variant, invocation)
            response = fleet.invoke(invocation)
        except FleetStoppedError:
            raise
        except FleetBusy:
            raise ServiceError(
                "ThrottlingException",
                f"Rate exceeded: {name} is processing as many requests as its MaxConcurrency"
                " allows",
            ) from None
        except FleetError as error:
            raise ModelError(0, error.reason, name, str(log)) from None
        if response.status >= _BAD_REQUEST:
            body = response.body.decode("utf-8", "replace")
            raise ModelError(response.status, body, variant.name, str(log / f"{variant.name}.log"))
        return _response(variant, response)

    def _in_service(self, name: str) -> EndpointRecord:
        endpoint = self.context.state.endpoints.find(name)
        if endpoint is not None:
            self.provisioner.ensure_running(endpoint)
        if endpoint is None or endpoint.live_change is None:
            account = self.context.settings.account
            state = f" It is {endpoint.status}." if endpoint else ""
            raise ServiceError(
                "ValidationError", f"Endpoint {name} of account {account} not found.{state}"
            )
        return endpoint


def _check_size(variant: VariantRecord, invocation: Invocation) -> None:
    most = _SERVERLESS_BYTES if variant.serverless else _REAL_TIME_BYTES
    if len(invocation.body) > most:
        kind = "serverless" if variant.serverless else "real-time"
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
