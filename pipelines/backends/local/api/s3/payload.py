"""A request's body → its content: aws-chunked framing removed, checksums verified.

SDKs frame a body when a checksum follows it: chunks of `<hex size>[;…]`, an empty one, and
trailers. A store that overlooks the framing stores it as content.
"""

from __future__ import annotations

import base64
import hashlib
import io
import re
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Protocol

from pipelines.backends.local.api.messages import HttpRequest
from pipelines.backends.local.api.s3.documents import S3Error
from pipelines.frozen import frozen

_PIECE = 1 << 20
_LINE = 8192
_SIZE = re.compile(rb"[0-9a-fA-F]{1,16}")
_CHECKSUM = "x-amz-checksum-"


@frozen
class S3Payload:
    """A decoded body.

    Args:
        data: the bytes, where they are in memory.
        path: the file that holds them instead.
        md5: their MD5 in hexadecimal.
        confirmed: the checksum headers that were verified, for the response.
    """

    data: bytes
    path: Path | None
    md5: str
    confirmed: Mapping[str, str]


@contextmanager
def payload(request: HttpRequest) -> Iterator[S3Payload]:
    """Decode and verify a body; a file that this creates is removed with the context.

    Raises:
        S3Error: IncompleteBody, BadDigest, or InvalidDigest.
    """
    if not _is_framed(request.headers):
        with _opened(request) as source:
            md5, confirmed = _copy(iter(lambda: source.read(_PIECE), b""), None, request.headers)
        yield S3Payload(request.body, request.spool, md5, confirmed)
        return
    made = None if request.spool is None else request.spool.with_name(request.spool.name + "-body")
    try:
        with _opened(request) as source:
            data, md5, confirmed = _unframed(source, made, request.headers)
        yield S3Payload(data, made, md5, confirmed)
    finally:
        if made is not None:
            made.unlink(missing_ok=True)


def _is_framed(headers: Mapping[str, str]) -> bool:
    """Return whether a body is framed, by any of three headers; SDKs omit one or another."""
    return (
        headers.get("x-amz-content-sha256", "").startswith("STREAMING-")
        or "aws-chunked" in headers.get("content-encoding", "")
        or "x-amz-decoded-content-length" in headers
    )


def _unframed(
    source: BinaryIO, made: Path | None, headers: Mapping[str, str]
) -> tuple[bytes, str, Mapping[str, str]]:
    trailers: dict[str, str] = {}
    pieces = _chunks(source, trailers)
    if made is None:
        memory = io.BytesIO()
        md5, confirmed = _copy(pieces, memory, headers, trailers)
        data, size = memory.getvalue(), memory.tell()
    else:
        with made.open("wb") as file:
            md5, confirmed = _copy(pieces, file, headers, trailers)
            data, size = b"", file.tell()
    announced = headers.get("x-amz-decoded-content-length")
    if announced is not None and announced != str(size):
        raise S3Error("IncompleteBody", f"{announced} bytes were announced and {size} received")
    return data, md5, confirmed


def _chunks(source: BinaryIO, trailers: dict[str, str]) -> Iterator[bytes]:
    while True:
        head = source.readline(_LINE).partition(b";")[0].strip()
        if not _SIZE.fullmatch(head):
            raise S3Error("IncompleteBody", "a chunk of the body has no size")
        size = int(head, 16)
        if size == 0:
            break
        left = size
        while left:
            piece = source.read(min(left, _PIECE))
            if not piece:
                raise S3Error("IncompleteBody", "the body ends within a chunk")
            left -= len(piece)
            yield piece
        source.readline(_LINE)
    while line := source.readline(_LINE).strip():
        name, _, value = line.decode("latin-1").partition(":")
        trailers[name.strip().lower()] = value.strip()


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...

    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._sum = 0

    def update(self, data: bytes, /) -> None:
        self._sum = zlib.crc32(data, self._sum)

    def digest(self) -> bytes:
        return self._sum.to_bytes(4, "big")


def _digests() -> dict[str, _Digest]:
    """Return what can be verified; CRC32C and CRC64NVME are not in the standard library."""
    return {
        "content-md5": hashlib.md5(usedforsecurity=False),
        f"{_CHECKSUM}crc32": _Crc32(),
        f"{_CHECKSUM}sha1": hashlib.sha1(usedforsecurity=False),
        f"{_CHECKSUM}sha256": hashlib.sha256(),
    }


def _copy(
    pieces: Iterator[bytes],
    target: BinaryIO | None,
    headers: Mapping[str, str],
    trailers: Mapping[str, str] | None = None,
) -> tuple[str, Mapping[str, str]]:
    """Copy a body and verify every digest sent with it; return its MD5 and those digests."""
    announced = {name.strip().lower() for name in headers.get("x-amz-trailer", "").split(",")}
    digests = {
        name: digest
        for name, digest in _digests().items()
        if name in headers or name in announced or name == "content-md5"
    }
    for piece in pieces:
        for digest in digests.values():
            digest.update(piece)
        if target is not None:
            target.write(piece)
    md5 = digests["content-md5"].digest().hex()
    sent = {**headers, **(trailers or {})}
    return md5, {name: _checked(name, d, sent[name]) for name, d in digests.items() if name in sent}


def _checked(name: str, digest: _Digest, sent: str) -> str:
    made = base64.b64encode(digest.digest()).decode("ascii")
    if made != sent:
        raise S3Error("BadDigest", f"the {name} you specified did not match what was received")
    return sent


@contextmanager
def _opened(request: HttpRequest) -> Iterator[BinaryIO]:
    if request.spool is None:
        yield io.BytesIO(request.body)
    else:
        with request.spool.open("rb") as file:
            yield file
