"""Which service a request means, decided before its body is read.

Signed requests name their service in the credential scope; others are told apart by what the
protocols look like: a target header, a form, a path of the runtime. What is left is S3.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from pipelines.backends.local.api import json_rpc, runtime, sts
from pipelines.backends.local.api.json_rpc import JsonService
from pipelines.backends.local.api.messages import Answer, Request
from pipelines.backends.local.api.runtime import Runtime
from pipelines.backends.local.api.sts import Query
from pipelines.frozen import frozen

_SCOPE = re.compile(r"Credential=[^/,]*/[^/,]*/[^/,]*/([^/,]+)/")
_KNOWN = ("sagemaker", "s3", "sts", "logs")
_SMALL = 16 << 20


@frozen
class Route:
    """Where a request goes.

    Args:
        answer: carries it out.
        bug: answers when `answer` raised, in the service's own protocol.
        longest: the longest body in bytes.
        is_slow: whether answering may take seconds.
        takes_files: whether a large body may come as a file, `Request.spool`, instead of bytes.
    """

    answer: Callable[[Request], Answer]
    bug: Callable[[Request], Answer]
    longest: int = _SMALL
    is_slow: bool = False
    takes_files: bool = False


@frozen
class Routes:
    """The services of one server."""

    sagemaker: JsonService
    logs: JsonService
    runtime: Runtime
    query: Query
    s3: Route

    def find(self, request: Request) -> Route:
        """Find the service of a request by its method, path and headers."""
        signed = _signed_service(request)
        target = request.headers.get("x-amz-target")
        if target is not None:
            return self._by_target(target)
        if _is_form(request):
            return Route(self.query.answer, sts.bug)
        if signed is not None and signed not in _KNOWN:
            return Route(_no_service(signed), json_rpc.bug)
        if signed != "s3" and runtime.PATH.fullmatch(request.path):
            return Route(self.runtime.answer, runtime.bug, runtime.LONGEST, is_slow=True)
        return self.s3

    def _by_target(self, target: str) -> Route:
        prefix = target.partition(".")[0]
        services = {"SageMaker": self.sagemaker, "Logs_20140328": self.logs}
        if prefix not in services:
            return Route(_no_service(prefix), json_rpc.bug)
        return Route(services[prefix].answer, json_rpc.bug)


def _signed_service(request: Request) -> str | None:
    credential = request.query.get("X-Amz-Credential")
    signature = f"Credential={credential}/" if credential else request.headers.get("authorization")
    match = _SCOPE.search(signature or "")
    return match[1] if match else None


def _is_form(request: Request) -> bool:
    form = "application/x-www-form-urlencoded"
    sent = request.headers.get("content-type", "").startswith(form)
    return request.path == "/" and (sent or "Action" in request.query)


def _no_service(name: str) -> Callable[[Request], Answer]:
    def refuse(request: Request) -> Answer:
        operation = json_rpc.operation_name(request)
        asked = f"the operation {operation} of {name}" if operation else f"the service {name}"
        message = f"the local SageMaker does not have {asked}"
        return json_rpc.refused("UnknownOperationException", message, f"{name}.{operation}")

    return refuse
