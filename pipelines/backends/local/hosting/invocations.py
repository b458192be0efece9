"""InvokeEndpoint: a request → the fleet of a variant → the container's answer."""

from __future__ import annotations

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.hosting.fleets import Fleets
from pipelines.backends.local.hosting.provisioner import Provisioner
from pipelines.backends.local.hosting.store import Endpoint, EndpointStore
from pipelines.backends.local.hosting.variants import Variant
from pipelines.backends.local.model_server.values import (
    Answer,
    Busy,
    FleetError,
    Invocation,
    StoppedError,
)
from pipelines.backends.local.requests import Members
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
_MEMBERS = Members(("EndpointName", "Body"), (*_HEADERS, "ContentType", "Accept", "TargetVariant"))
_CUSTOM = "x-amzn-sagemaker-custom-attributes"
_SERVERLESS_BYTES = 4 << 20
_REAL_TIME_BYTES = 25 << 20
"""What the service takes at most (FACTS 2.4, 2.5); of real-time bodies the guide says 6 MB, too."""

_BAD_REQUEST, _SERVER_ERROR = 400, 500


class ModelError(ServiceError):
    """The container refused a request, or gave no answer.

    Attributes:
        members: what the service's ModelError has besides its message.
    """

    def __init__(self, status: int, said: str, variant: str, log: str) -> None:
        side = "client" if _BAD_REQUEST <= status < _SERVER_ERROR else "server"
        super().__init__(
            "ModelError",
            f'Received {side} error ({status}) from {variant} with message "{said}".'
            f" See {log} for more information.",
        )
        self.members = {
            "OriginalStatusCode": status,
            "OriginalMessage": said,
            "LogStreamArn": log,
        }


@frozen
class Invocations:
    """Sends requests to the fleets."""

    store: EndpointStore
    provisioner: Provisioner
    fleets: Fleets

    def invoke_endpoint(self, **request: Json) -> JsonObject:
        """Answer a request; an endpoint without running fleets gets them first.

        Returns:
            Body (bytes), ContentType, InvokedProductionVariant, CustomAttributes where the
            container gave some, and ColdStartSeconds where a server had to be started.

        Raises:
            ServiceError: ValidationError for an endpoint that is not in service and for a body
                that is too large, ThrottlingException over a serverless variant's concurrency.
            ModelError: the container answered with 400 or more, or not at all.
        """
        _MEMBERS.check(request)
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
            except StoppedError:
                continue  # another fleet has taken over between the look and the call

    def _invoke(self, name: str, invocation: Invocation, request: JsonObject) -> JsonObject:
        endpoint = self._in_service(name)
        log = self.fleets.folder(name)
        try:
            variant, fleet = self.fleets.of(endpoint).choose(request.get("TargetVariant"))
            _check_size(variant, invocation)
            answer = fleet.invoke(invocation)
        except StoppedError:
            raise
        except Busy:
            raise ServiceError(
                "ThrottlingException",
                f"Rate exceeded: {name} answers as many requests as its MaxConcurrency allows",
            ) from None
        except FleetError as error:
            raise ModelError(0, error.reason, name, str(log)) from None
        if answer.status >= _BAD_REQUEST:
            said = answer.body.decode("utf-8", "replace")
            raise ModelError(answer.status, said, variant.name, str(log / f"{variant.name}.log"))
        return _response(variant, answer)

    def _in_service(self, name: str) -> Endpoint:
        try:
            endpoint = self.store.find(name)
        except ServiceError:
            endpoint = None
        if endpoint is not None:
            self.provisioner.attend(endpoint)
        if endpoint is None or endpoint.live is None:
            account = self.store.premises.settings.account
            state = f" It is {endpoint.status}." if endpoint else ""
            raise ServiceError(
                "ValidationError", f"Endpoint {name} of account {account} not found.{state}"
            )
        return endpoint


def _check_size(variant: Variant, invocation: Invocation) -> None:
    most = _SERVERLESS_BYTES if variant.serverless else _REAL_TIME_BYTES
    if len(invocation.body) > most:
        sort = "serverless" if variant.serverless else "real-time"
        raise ServiceError(
            "ValidationError",
            f"the body has {len(invocation.body)} bytes; a {sort} endpoint takes {most}",
        )


def _response(variant: Variant, answer: Answer) -> JsonObject:
    response: JsonObject = {
        "Body": answer.body,
        "ContentType": answer.content_type,
        "InvokedProductionVariant": variant.name,
    }
    if _CUSTOM in answer.headers:
        response["CustomAttributes"] = answer.headers[_CUSTOM]
    if answer.cold_start_seconds is not None:
        response["ColdStartSeconds"] = round(answer.cold_start_seconds, 3)
    return response
