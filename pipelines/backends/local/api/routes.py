"""Which service a request is for, decided before its body is read.

Signed requests name their service in the credential scope; others are recognised by their
protocol: a target header, a form, a path of the runtime. The rest is S3.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from pipelines.backends.local.api import json_rpc, query, s3, sagemaker_runtime
from pipelines.backends.local.api.json_rpc import JsonService
from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, HttpResponse
from pipelines.backends.local.api.query import QueryService
from pipelines.backends.local.api.sagemaker_runtime import RuntimeService
from pipelines.backends.local.operations.table import not_there
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.waiting import Waiting, blocking
from pipelines.frozen import frozen

_SCOPE = re.compile(r"Credential=[^/,]*/[^/,]*/[^/,]*/([^/,]+)/")
_KNOWN = ("sagemaker", "s3", "sts", "iam", "logs", "events")
_SMALL = 16 << 20


Respond: TypeAlias = Callable[[Waiting, HttpRequest], Coroutine[Any, Any, HttpResponse]]


@frozen
class Route:
    """Where a request goes.

    Args:
        respond: processes it.
        refuse: writes a refusal in the service's own protocol.
        longest: the longest body in bytes.
        is_slow: whether processing may take seconds.
        takes_files: whether a large body may be a file, `HttpRequest.spool`, instead of bytes.
        needs_length: whether a body must have its length in advance.
    """

    respond: Respond
    refuse: Callable[[HttpRequest, HttpRefusal], HttpResponse]
    longest: int = _SMALL
    is_slow: bool = False
    takes_files: bool = False
    needs_length: bool = False


class Routes:
    """The services of one server.

    Args:
        sagemaker: what is served.
    """

    def __init__(self, sagemaker: LocalSageMaker) -> None:
        settings = sagemaker.settings
        store = s3.S3Service(sagemaker.objects, settings.region)
        find = sagemaker.operations.named
        self._targets = {
            "SageMaker": JsonService("sagemaker", find),
            "Logs_20140328": JsonService("logs", find),
            "AWSEvents": JsonService("events", find),
            "AnyScaleFrontendService": JsonService("application-autoscaling", find),
            "GraniteServiceVersion20100801": JsonService("cloudwatch", find),
        }
        self._runtime = Route(
            RuntimeService(find).respond,
            sagemaker_runtime.refuse,
            sagemaker_runtime.LONGEST,
            is_slow=True,
        )
        self._query = QueryService(settings.account)
        self._s3 = Route(
            blocking(store.respond), s3.refuse, s3.LONGEST, takes_files=True, needs_length=True
        )

    def find(self, request: HttpRequest) -> Route:
        """Find the service of a request by its method, path and headers."""
        signed = _signed_service(request)
        target = request.headers.get("x-amz-target")
        if target is not None:
            return self._by_target(target)
        if _is_form(request):
            return Route(blocking(self._query.respond), query.refuse)
        if signed is not None and signed not in _KNOWN:
            return Route(blocking(_no_service(signed)), json_rpc.refuse)
        if signed != "s3" and sagemaker_runtime.PATH.fullmatch(request.path):
            return self._runtime
        return self._s3

    def _by_target(self, target: str) -> Route:
        prefix = target.partition(".")[0]
        service = self._targets.get(prefix)
        respond = _no_service(prefix) if service is None else service.respond
        return Route(blocking(respond), json_rpc.refuse)


def _signed_service(request: HttpRequest) -> str | None:
    credential = request.query.get("X-Amz-Credential")
    signature = f"Credential={credential}/" if credential else request.headers.get("authorization")
    match = _SCOPE.search(signature or "")
    return match[1] if match else None


def _is_form(request: HttpRequest) -> bool:
    form = "application/x-www-form-urlencoded"
    sent = request.headers.get("content-type", "").startswith(form)
    return request.path == "/" and (sent or "Action" in request.query)


def _no_service(name: str) -> Callable[[HttpRequest], HttpResponse]:
    def refuse(request: HttpRequest) -> HttpResponse:
        operation = json_rpc.operation_name(request)
        refusal = not_there(name, operation)
        message = json_rpc.one_line(refusal)
        return json_rpc.refused(refusal.code, message, f"{name}.{operation}")

    return refuse
