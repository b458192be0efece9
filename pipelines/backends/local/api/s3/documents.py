"""S3's XML: documents written from nested pairs and read without namespace; and its errors."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

from pipelines.backends.local.api.messages import HttpResponse

XmlChild: TypeAlias = tuple[str, "str | Sequence[XmlChild]"]

XML: Final[Mapping[str, str]] = {"Content-Type": "application/xml"}
_ENCODING = re.compile(r"""<\?xml[^>]*\sencoding\s*=\s*["']([^"']*)""")
_UTF_8 = frozenset({"utf-8", "us-ascii", "ascii"})
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_STATUS = {
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "InvalidRange": 416,
    "MethodNotAllowed": 405,
    "NoSuchBucket": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "PreconditionFailed": 412,
}


def document(root: str, children: str | Sequence[XmlChild], *, plain: bool = False) -> bytes:
    """Write a document.

    Args:
        root: the root element's name.
        children: its text, or its elements in order.
        plain: without the namespace, as in errors.
    """
    namespace = "" if plain else f' xmlns="{_NAMESPACE}"'
    content = _content(children)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<{root}{namespace}>{content}</{root}>".encode("utf-8", "backslashreplace")


def read_document(body: bytes) -> ET.Element | None:
    """Read a document; None if it is not valid UTF-8 or XML, or has a DTD."""
    try:
        text = body.decode("utf-8-sig")
        named = _ENCODING.match(text)
        if "<!DOCTYPE" in text or (named and named[1].lower() not in _UTF_8):
            return None
        root = ET.fromstring(text)  # noqa: S314 - no DTD: nothing can expand
    except (UnicodeDecodeError, ET.ParseError):
        return None
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def iso(seconds: float) -> str:
    """Write a time as S3's documents do."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _content(children: str | Sequence[XmlChild]) -> str:
    if isinstance(children, str):
        return escape(children, {"\r": "&#13;", "\n": "&#10;"})
    return "".join(f"<{name}>{_content(inner)}</{name}>" for name, inner in children)


class S3Error(Exception):
    """A refusal with S3's error code.

    Args:
        code: such as `NoSuchKey`.
        message: what is wrong.
        status: the status of codes that do not have one of their own.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, status)


def error_response(error: S3Error, path: str, operation: str) -> HttpResponse:
    """Return an error as S3 writes it; a 304 has no body."""
    if error.code == "NotModified":
        return HttpResponse(error.status, operation=operation)
    body = document(
        "Error", [("Code", error.code), ("Message", str(error)), ("Resource", path)], plain=True
    )
    return HttpResponse(error.status, XML, body, operation)
