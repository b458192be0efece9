"""The body of a request: read to its end within bounds, small ones into memory, large into a file.

A body that never ends is refused: S3 requires its length in advance, as in the service; the other
services bound it; and a client that sends nothing for half a minute is told so.
"""

from __future__ import annotations

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, MutableMapping
from concurrent.futures import Executor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

from pipelines.backends.local.api.messages import HttpRefusal, HttpRequest, whole_number
from pipelines.backends.local.api.routes import Route
from pipelines.errors import located
from pipelines.frozen import frozen

AsgiMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]

WHOLE = "is_whole"
"""In the state of a scope: whether all of the request has arrived."""

RESPOND = "respond"
"""In the state of a scope: sends a whole response at once; see `Respond`."""

Respond: TypeAlias = Callable[[int, bytes, bytes], bool]
"""Takes the status, the lines of headers and the body; False where `send` has to send it."""

PATIENCE_SECONDS = 30.0
"""How long a client may send nothing in the middle of a body."""

_CHUNKED = "chunked"
_IN_MEMORY = 8 << 20
_PIECE = 1 << 20
_MOST_FRAMING, _SLACK = 8, 64 << 10
"""A framed body has at most so many bytes for one of its content, and so many more."""

_LINGER_SECONDS = 1.0
_LINGER_BYTES = 64 << 20


class RefusedRequestError(Exception):
    """A request that is refused before a service has seen it."""

    def __init__(self, refusal: HttpRefusal) -> None:
        super().__init__(refusal.message)
        self.refusal = refusal


class DisconnectedError(Exception):
    """The client disconnected in the middle of its request."""


@frozen
class Body:
    """A body: the bytes, or the file that holds them."""

    data: bytes
    spool: Path | None


@frozen
class BodyReader:
    """Reads bodies.

    Args:
        folder: where those are kept that are too large for memory; created on first use.
        pool: the threads that write them.
    """

    folder: Path
    pool: Executor

    async def read(
        self, receive: Receive, request: HttpRequest, route: Route, *, is_whole: bool
    ) -> Body:
        """Read a body to its end; the caller removes the file.

        Args:
            receive: as ASGI has it.
            request: what precedes the body.
            route: bounds it.
            is_whole: whether the end has arrived: then nobody has to wait for it.

        Raises:
            RefusedRequestError: it is too long, has no length, or does not arrive.
            DisconnectedError: the client disconnected.
            OSError: it could not be written.
        """
        bounds = _bounds(request, route)
        if is_whole:
            whole, _ = await _piece(receive)
            bounds.check(len(whole))
            return Body(whole, None)
        pieces = bytearray()
        spool: Path | None = None
        total = 0
        try:
            async for piece in _arriving(receive):
                pieces += piece
                total += len(piece)
                bounds.check(total)
                if spool is None and bounds.announced + len(pieces) > _IN_MEMORY:
                    spool = await self._in_thread(_new_file, self.folder) if bounds.files else None
                if spool is not None and len(pieces) >= _PIECE:
                    await self._in_thread(_append, spool, bytes(pieces))
                    pieces.clear()
            if spool is None:
                return Body(bytes(pieces), None)
            await self._in_thread(_append, spool, bytes(pieces))
        except BaseException:
            if spool is not None:
                spool.unlink(missing_ok=True)
            raise
        return Body(b"", spool)

    async def _in_thread(self, function: Callable[..., Any], *arguments: object) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self.pool, function, *arguments)


@frozen
class _Bounds:
    """How long a body may be and was announced to be, and whether it may be a file."""

    longest: int
    announced: int
    files: bool

    def check(self, length: int) -> None:
        """Refuse a longer one."""
        if length > self.longest:
            message = f"the body has more than {self.longest} bytes"
            raise RefusedRequestError(HttpRefusal("EntityTooLarge", message, 413))


def _bounds(request: HttpRequest, route: Route) -> _Bounds:
    """Read what a request announces; a framed body announces the length of its content."""
    headers = request.headers
    coding = headers.get("transfer-encoding", _CHUNKED)
    if coding.strip().lower() != _CHUNKED:
        message = f"the transfer coding `{coding[:40]}` is not supported: send `{_CHUNKED}`"
        raise RefusedRequestError(HttpRefusal("NotImplemented", message, 501))
    announced = _length(headers.get("content-length", "0"))
    content = headers.get("x-amz-decoded-content-length")
    longest = route.longest
    if content is not None:
        longest = min(longest, _MOST_FRAMING * _length(content) + _SLACK)
    elif route.needs_length and _has_no_length(request):
        message = "a body without a length is not accepted: send Content-Length"
        raise RefusedRequestError(HttpRefusal("MissingContentLength", message, 411))
    bounds = _Bounds(longest, announced, route.takes_files)
    bounds.check(announced)
    return bounds


def _has_no_length(request: HttpRequest) -> bool:
    """Return whether what is put has no length: without one it would be empty, whatever follows."""
    if "transfer-encoding" in request.headers:
        return True
    return request.method == "PUT" and "content-length" not in request.headers


def _length(text: str) -> int:
    length = whole_number(text)
    if length is None:
        raise RefusedRequestError(HttpRefusal("InvalidArgument", f"`{text[:20]}` is not a length"))
    return length


async def _arriving(receive: Receive) -> AsyncIterator[bytes]:
    last = False
    while not last:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                piece, last = await _piece(receive)
        except TimeoutError:
            message = f"nothing of the body arrived for {PATIENCE_SECONDS:g} seconds"
            raise RefusedRequestError(HttpRefusal("RequestTimeout", message, 408)) from None
        yield piece


async def discard(receive: Receive) -> None:
    """Read and forget the rest of a body for a moment, so that the client reads the response.

    A client that is still sending when the connection is closed may lose the response.
    """
    total = 0
    with suppress(TimeoutError, DisconnectedError):
        async with asyncio.timeout(_LINGER_SECONDS):
            last = False
            while not last and total < _LINGER_BYTES:
                piece, last = await _piece(receive)
                total += len(piece)


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """Receive a piece of the body, and whether it is the last one."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise DisconnectedError
    return message.get("body", b""), not message.get("more_body", False)


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    return Path(name)


def _append(file: Path, piece: bytes) -> None:
    try:
        with file.open("ab") as stream:
            stream.write(piece)
    except OSError as error:
        raise located(error, file) from error  # before the file is removed
