"""S3 URIs of the local store: read, and refused where S3 or a file system could not have them.

`a//b` is `a/b`, since a key is a path in the store (`objects.py`).
"""

from __future__ import annotations

import re

from pipelines.errors import UsageError
from pipelines.frozen import frozen

_URI = re.compile(r"s3://(?P<bucket>[A-Za-z0-9][A-Za-z0-9._-]{0,254})(?:/(?P<key>.*))?", re.DOTALL)
_LONGEST_KEY = 1024  # bytes, as in S3
_MOST_PARTS = 256  # folders: the standard library walks, makes and removes them by recursion


class ObjectUriError(UsageError):
    """A URI is not a valid location in the store."""


class KeyTooLongError(ObjectUriError):
    """A key is longer than S3 accepts, or deeper than this store does."""


@frozen
class S3Location:
    """A bucket and a key, or a prefix of keys; both may be empty."""

    bucket: str
    key: str

    @property
    def uri(self) -> str:
        """The location as `s3://<bucket>/<key>`."""
        return f"s3://{self.bucket}/{self.key}"


def parse_uri(uri: str) -> S3Location:
    """Read an S3 URI, dropping empty parts of the key but keeping a slash at its end.

    Raises:
        ObjectUriError: it is not an S3 URI, or its key would leave the store, or is too long.
    """
    match = _URI.fullmatch(uri)
    if match is None:
        raise ObjectUriError(f"`{uri}` is not an S3 URI", "write it as s3://<bucket>/<key>")
    key = match["key"] or ""
    parts = [part for part in key.split("/") if part]
    if ".." in parts or "." in parts or "\0" in key:
        raise ObjectUriError(f"`{uri}` leaves its bucket", "write the key without `.` and `..`")
    if len(key.encode("utf-8", "surrogatepass")) > _LONGEST_KEY or len(parts) > _MOST_PARTS:
        raise KeyTooLongError(
            f"`{uri[:80]}…` is too long",
            f"a key has at most {_LONGEST_KEY} bytes and {_MOST_PARTS} parts",
        )
    end = "/" if parts and key.endswith("/") else ""
    return S3Location(match["bucket"], "/".join(parts) + end)
