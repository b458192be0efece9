"""S3's XML: documents written from nested pairs, and read with the namespace taken off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeAlias
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape

Child: TypeAlias = tuple[str, "str | Sequence[Child]"]

XML: Final[Mapping[str, str]] = {"Content-Type": "application/xml"}
_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"


def document(root: str, children: str | Sequence[Child], *, plain: bool = False) -> bytes:
    """Write a document.

    Args:
        root: the root element's name.
        children: its text, or its elements in order.
        plain: leave out the namespace, as errors do.
    """
    namespace = "" if plain else f' xmlns="{_NAMESPACE}"'
    content = _content(children)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return f"{head}<{root}{namespace}>{content}</{root}>".encode()


def read(body: bytes) -> ET.Element | None:
    """Read a document; None where it is none, or brings a DTD."""
    if b"<!DOCTYPE" in body:
        return None
    try:
        root = ET.fromstring(body)  # noqa: S314 - no DTD: nothing can expand
    except ET.ParseError:
        return None
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    return root


def iso(seconds: float) -> str:
    """Write a time as S3's documents do."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03}Z"


def _content(children: str | Sequence[Child]) -> str:
    if isinstance(children, str):
        return escape(children, {"\r": "&#13;", "\n": "&#10;"})
    return "".join(f"<{name}>{_content(inner)}</{name}>" for name, inner in children)
