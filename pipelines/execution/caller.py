"""What operations of an account stand on: something that carries out SageMaker's calls.

`backends.aws.gateway.Gateway` does, over HTTP; `backends.local.local_caller.LocalCaller` does, in
this process. What is written against this works on both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol

from pipelines.errors import RefusedError
from pipelines.json_types import JsonObject

_MISSING = {"ResourceNotFound", "ResourceNotFoundException", "404", "NoSuchKey", "NoSuchEntity"}
_NOT_THERE = ("does not exist", "could not find", "not found")
"""How it is said where there is no code for it: groups, packages, endpoints, stacks."""

_DENIED = {"AccessDenied", "AccessDeniedException", "403", "Forbidden"}
_TRANSIENT = frozenset({
    "Throttling", "ThrottlingException", "ThrottledException", "SlowDown", "RequestThrottled",
    "RequestThrottledException", "TooManyRequestsException", "RequestLimitExceeded",
    "BandwidthLimitExceeded", "PriorRequestNotComplete", "EC2ThrottledException",
    "EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "HTTPClientError",
    "ConnectionClosedError", "ConnectionError", "ProxyConnectionError", "SSLError",
    "ResponseStreamingError", "ResponseParserError", "IncompleteReadError", "RequestTimeout",
    "RequestTimeoutException",
    "InternalFailure", "InternalError", "InternalServerError", "InternalServerException",
    "InternalServiceException", "ServiceUnavailable", "ServiceUnavailableException",
    "500", "502", "503", "504",
})  # fmt: skip


class CallRefusedError(RefusedError):
    """A call was refused, or the service could not be reached.

    Args:
        problem: what was refused.
        remedy: what to do about it.
        code: the service's error code, or botocore's exception name.
        operation: the operation in snake_case, empty when none was called.
    """

    def __init__(
        self, problem: str, remedy: str | None = None, *, code: str = "", operation: str = ""
    ) -> None:
        super().__init__(problem, remedy)
        self.code = code
        self.operation = operation

    @property
    def is_missing(self) -> bool:
        """Whether what was asked for does not exist."""
        return self.code in _MISSING or (
            self.code in {"ValidationException", "ValidationError"}
            and any(words in self.problem.lower() for words in _NOT_THERE)
        )

    @property
    def is_denied(self) -> bool:
        """Whether a permission is missing."""
        return self.code in _DENIED

    @property
    def is_transient(self) -> bool:
        """Whether the service or the network failed, so that trying again may help."""
        return self.code in _TRANSIENT


class Caller(Protocol):
    """Carries out calls; each refusal is a `CallRefusedError`."""

    @property
    def is_local(self) -> bool:
        """Whether it is the local SageMaker."""

    def call(self, service: str, operation: str, **request: Any) -> JsonObject:
        """Call an operation, named in snake_case."""

    def pages(
        self, service: str, operation: str, member: str, **request: Any
    ) -> Iterator[JsonObject]:
        """Yield the entries of a list operation, page after page."""

    def download(self, bucket: str, key: str) -> bytes:
        """Read an object."""


def split(uri: str) -> tuple[str, str]:
    """Return bucket and key of an s3:// URI."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


def see(caller: Caller, command: str) -> str:
    """Name the command that shows what there is, where it was looked for: `models flights`."""
    name, _, rest = command.partition(" ")
    words = ("pipelines", name, *(("--local",) if caller.is_local else ()), rest)
    return f"see `{' '.join(filter(None, words))}`"
