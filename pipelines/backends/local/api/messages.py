"""HTTP requests and responses as the services see them, independent of ASGI."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import BinaryIO

from pipelines.frozen import frozen

_WHOLE = re.compile(r"[0-9]{1,18}")


@frozen
class HttpRequest:
    """One HTTP request.

    Args:
        method: `GET`, `PUT` and so on.
        path: the path as it was sent, percent-encoded.
        query: the query's parameters, decoded; one without `=` has an empty value.
        headers: by lower-case name.
        body: the body.
        spool: the file that holds the body instead, if it is too large for memory.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    spool: Path | None = None


@frozen
class FileSection:
    """A part of an open file: `length` bytes from `start`; the file is closed afterwards."""

    file: BinaryIO
    start: int
    length: int


@frozen
class HttpResponse:
    """One HTTP response.

    Args:
        status: the status code.
        headers: by name; Content-Length is added.
        body: the body, or the part of a file that is the body.
        operation: the requested operation, for the log: `SageMaker.ListModelPackages`.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | FileSection = b""
    operation: str = "-"


@frozen
class HttpRefusal:
    """Why a request is refused, in any protocol.

    Args:
        code: the error code that boto3's `ClientError` has.
        message: a sentence.
        status: the status code.
    """

    code: str
    message: str
    status: int = 400


def whole_number(text: str) -> int | None:
    """Read a number of a request; None if it is not one, or has more than 18 digits."""
    return int(text) if _WHOLE.fullmatch(text) else None
