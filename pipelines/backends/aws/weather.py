"""Which refusals pass by themselves, so that waiting is the answer."""

from __future__ import annotations

from pipelines.backends.aws.errors import AwsError

_PASSES = frozenset({
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


def passes(error: AwsError) -> bool:
    """Say whether it is the service's or the network's trouble, not the caller's."""
    return error.code in _PASSES
