"""Signature Version 4: whether a request is signed with the key of this server.

Used where the operating system does not say which user made a connection. boto3, the AWS CLI and
`curl --aws-sigv4` sign headers; a presigned URL has the signature in its query.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import quote

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, whole_number
from pipelines.backends.local.settings import ApiCredentials
from pipelines.frozen import frozen

_ALGORITHM = "AWS4-HMAC-SHA256"
_HEADER = re.compile(
    rf"{_ALGORITHM} +Credential=(?P<key>[^/,]+)/(?P<scope>[^,]+), *"
    r"SignedHeaders=(?P<headers>[^,]+), *Signature=(?P<signature>[0-9a-f]{64})"
)
_HASH = "x-amz-content-sha256"
_IN_QUERY = "X-Amz-Signature"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_TIME = "%Y%m%dT%H%M%SZ"
_SKEW = timedelta(minutes=15)
_SCOPE_PARTS = 4

NOT_SIGNED: Final = HttpRefusal(
    "AccessDenied",
    "the request is not signed with the key of this local SageMaker: export AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY as `pipelines serve` prints them",
    403,
)
_SKEWED: Final = HttpRefusal(
    "RequestTimeTooSkewed", "the request was signed too long ago, or its URL has expired", 403
)


def random_credentials() -> ApiCredentials:
    """Make a key that nobody can guess."""
    return ApiCredentials(f"LOCAL{secrets.token_hex(8).upper()}", secrets.token_urlsafe(32))


@frozen
class _Signed:
    """What a request says of its signature; `scope` is `<date>/<region>/<service>/aws4_request`."""

    key: str
    scope: str
    headers: tuple[str, ...]
    signature: str
    moment: str
    lifetime: timedelta


def is_signed_in_advance(request: HttpRequest) -> bool:
    """Return whether a signature can be verified before the body has been read."""
    return _HASH in request.headers or _IN_QUERY in request.query


@frozen
class Signatures:
    """Verifies requests.

    Args:
        credentials: the key.
        now: the clock.
    """

    credentials: ApiCredentials
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def refusal(self, request: HttpRequest) -> HttpRefusal | None:
        """Return why a request is refused; None when its signature is right."""
        signed = _from_query(request) if _IN_QUERY in request.query else _from_header(request)
        if signed is None or signed.key != self.credentials.access_key:
            return NOT_SIGNED
        if not any(self._matches(signed, path, request) for path in _paths(request.path)):
            return NOT_SIGNED
        try:
            moment = datetime.strptime(signed.moment, _TIME).replace(tzinfo=UTC)
        except ValueError:
            return NOT_SIGNED
        is_current = moment - _SKEW <= self.now() <= moment + signed.lifetime
        return None if is_current else _SKEWED

    def _matches(self, signed: _Signed, path: str, request: HttpRequest) -> bool:
        canonical = _canonical(signed, path, request)
        digest = hashlib.sha256(canonical.encode()).hexdigest()
        text = f"{_ALGORITHM}\n{signed.moment}\n{signed.scope}\n{digest}"
        key = f"AWS4{self.credentials.secret_key}".encode()
        for part in signed.scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        return hmac.compare_digest(
            hmac.new(key, text.encode(), "sha256").hexdigest(), signed.signature
        )


def _from_header(request: HttpRequest) -> _Signed | None:
    found = _HEADER.fullmatch(request.headers.get("authorization", ""))
    moment = request.headers.get("x-amz-date", "")
    return (
        None
        if found is None
        else _checked(
            _Signed(
                found["key"],
                found["scope"],
                tuple(found["headers"].split(";")),
                found["signature"],
                moment,
                _SKEW,
            )
        )
    )


def _from_query(request: HttpRequest) -> _Signed | None:
    query: Mapping[str, str] = request.query
    key, _, scope = query.get("X-Amz-Credential", "").partition("/")
    seconds = whole_number(query.get("X-Amz-Expires", ""))
    if seconds is None or seconds > 7 * 86400:
        return None
    return _checked(
        _Signed(
            key,
            scope,
            tuple(query.get("X-Amz-SignedHeaders", "").split(";")),
            query[_IN_QUERY],
            query.get("X-Amz-Date", ""),
            timedelta(seconds=seconds),
        )
    )


def _checked(signed: _Signed) -> _Signed | None:
    """Return a signature that is one for a whole request, on one day, in one service."""
    parts = signed.scope.split("/")
    is_whole = len(parts) == _SCOPE_PARTS and signed.moment.startswith(parts[0] + "T")
    return signed if is_whole and "host" in signed.headers else None


def _paths(path: str) -> Iterator[str]:
    """Yield what may have been signed: S3 and curl sign a path as it is sent, others quote it."""
    yield path
    yield quote(path, safe="/~")


def _canonical(signed: _Signed, path: str, request: HttpRequest) -> str:
    """Write a request in the form that is signed."""
    query = sorted(
        (quote(name, safe="-_.~"), quote(value, safe="-_.~"))
        for name, value in request.query.items()
        if name != _IN_QUERY
    )
    headers = (
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in signed.headers
    )
    return "\n".join(
        (
            request.method,
            path,
            "&".join(f"{name}={value}" for name, value in query),
            "".join(headers),
            ";".join(signed.headers),
            _payload_hash(request),
        )
    )


def _payload_hash(request: HttpRequest) -> str:
    if _HASH in request.headers:
        return request.headers[_HASH]
    return _UNSIGNED if _IN_QUERY in request.query else hashlib.sha256(request.body).hexdigest()
