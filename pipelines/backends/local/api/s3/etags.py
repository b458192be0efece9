"""Conditions on ETags in the headers of a request."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from pipelines.backends.local.api.s3.documents import S3Error


def check_read(headers: Mapping[str, str], tag: str, modified: float, prefix: str = "if-") -> None:
    """Check the conditions of a GET, a HEAD or a copy's source.

    Args:
        headers: of the request.
        tag: the object's ETag.
        modified: when it was written, seconds since 1970.
        prefix: how the names of the headers begin.

    Raises:
        S3Error: PreconditionFailed, or NotModified.
    """
    match, none_match = headers.get(f"{prefix}match"), headers.get(f"{prefix}none-match")
    since = _seconds(headers.get(f"{prefix}modified-since"))
    until = _seconds(headers.get(f"{prefix}unmodified-since"))
    if match is not None:
        _require(contains_etag(match, tag))
    elif until is not None:
        _require(int(modified) <= until)
    unchanged = since is not None and int(modified) <= since
    if contains_etag(none_match, tag) if none_match is not None else unchanged:
        copying = prefix != "if-"
        raise S3Error("PreconditionFailed" if copying else "NotModified", _FAILED)


def check_write(headers: Mapping[str, str], tag: str | None) -> None:
    """Check the conditions of a PUT; `tag` is the ETag of the existing object, None without one.

    Raises:
        S3Error: PreconditionFailed; NoSuchKey for `If-Match` without an object.
    """
    match, none_match = headers.get("if-match"), headers.get("if-none-match")
    if match is not None and tag is None:
        raise S3Error("NoSuchKey", "The specified key does not exist.")
    if match is not None and tag is not None:
        _require(contains_etag(match, tag))
    if none_match is not None and tag is not None:
        _require(not contains_etag(none_match, tag))


def contains_etag(condition: str, tag: str) -> bool:
    """Return whether a list of ETags, or `*`, contains one; quotation marks are optional."""
    listed = [item.strip().removeprefix("W/").strip('"') for item in condition.split(",")]
    return "*" in listed or tag.strip('"') in listed


_FAILED = "At least one of the pre-conditions you specified did not hold"


def _require(holds: bool) -> None:  # noqa: FBT001 - the condition itself
    if not holds:
        raise S3Error("PreconditionFailed", _FAILED)


def _seconds(text: str | None) -> float | None:
    try:
        return None if text is None else parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None
