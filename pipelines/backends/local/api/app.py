"""The ASGI application: who may call, the body, the service, the response, one line of log.

Programs on this machine may call, but no web page in a browser on it. A page whose name resolves
to 127.0.0.1 (DNS rebinding) sends its own name as Host; a page that posts across origins is
recognised by Origin or Sec-Fetch-Site.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, urlsplit

from pipelines.backends.local.api.messages import FileSection, HttpRequest, HttpResponse
from pipelines.backends.local.api.routes import Route
from pipelines.frozen import frozen

AsgiMessage: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]
Router: TypeAlias = Callable[[HttpRequest], Route]

_IN_MEMORY = 8 << 20
_PIECE = 1 << 20
_THREADS = 16
_INVOCATIONS = 256
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_HTTP_PORT = 80

_log = logging.getLogger("pipelines.api")


@frozen
class ServedRequest:
    """One finished request, for the log: operation, status, milliseconds."""

    operation: str
    status: int
    milliseconds: float


RequestObserver: TypeAlias = Callable[[ServedRequest], None]


class RefusedRequestError(Exception):
    """A request that is refused before a service has seen it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.response = HttpResponse(
            status, {"Content-Type": "text/plain; charset=utf-8"}, reason.encode()
        )


class DisconnectedError(Exception):
    """The client disconnected in the middle of its request."""


class ApiApplication:
    """The application.

    Args:
        router: finds the service of a request from all but its body.
        port: the port that Host must name.
        spool: an existing folder for bodies that are too large for memory.
        observer: called after every request.
    """

    def __init__(self, router: Router, port: int, spool: Path, observer: RequestObserver) -> None:
        self._router = router
        self._port = port
        self._spool = spool
        self._observer = observer
        self._calls = ThreadPoolExecutor(_THREADS, "api")
        self._invocations = ThreadPoolExecutor(_INVOCATIONS, "invocation")

    def close(self) -> None:
        """Wait for the running calls."""
        self._calls.shutdown()
        self._invocations.shutdown()

    async def __call__(self, scope: AsgiMessage, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        try:
            response = await self._respond(scope, receive)
        except DisconnectedError:
            return
        except RefusedRequestError as refused:
            response = refused.response
        await self._send(response, scope["method"] == "HEAD", send)
        spent = (time.perf_counter() - began) * 1000
        self._observer(ServedRequest(response.operation, response.status, spent))

    async def _respond(self, scope: AsgiMessage, receive: Receive) -> HttpResponse:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        reason = refusal_of(headers, self._port)
        if reason is not None:
            raise RefusedRequestError(403, reason)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        request = HttpRequest(scope["method"], raw.decode("latin-1"), query, headers)
        route = self._router(request)
        body, spool = await self._body(receive, _length(headers, route), route)
        request = HttpRequest(request.method, request.path, query, headers, body, spool)
        pool = self._invocations if route.is_slow else self._calls
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _call, route, request)
        finally:
            if spool is not None:
                spool.unlink(missing_ok=True)

    async def _body(self, receive: Receive, length: int, route: Route) -> tuple[bytes, Path | None]:
        """Read a body: small ones into memory, large ones into a file if the route accepts one."""
        pieces = bytearray()
        spool: Path | None = None
        total = 0
        try:
            while True:
                piece, last = await _piece(receive)
                pieces += piece
                total += len(piece)
                _refuse_longer(total, route)
                is_large = length > _IN_MEMORY or len(pieces) > _IN_MEMORY
                if is_large and spool is None and route.takes_files:
                    spool = await self._file()
                if spool is not None and (last or len(pieces) >= _PIECE):
                    await self._append(spool, bytes(pieces))
                    pieces.clear()
                if last:
                    return bytes(pieces), spool
        except BaseException:
            if spool is not None:
                spool.unlink(missing_ok=True)
            raise

    async def _file(self) -> Path:
        return await asyncio.get_running_loop().run_in_executor(self._calls, _new_file, self._spool)

    async def _append(self, file: Path, piece: bytes) -> None:
        await asyncio.get_running_loop().run_in_executor(self._calls, _append, file, piece)

    async def _send(self, response: HttpResponse, bodiless: bool, send: Send) -> None:  # noqa: FBT001 - HEAD
        length = (
            response.body.length if isinstance(response.body, FileSection) else len(response.body)
        )
        headers = {"Content-Length": str(length), **response.headers}
        if response.status in {204, 304}:
            del headers["Content-Length"]
            bodiless = True
        raw = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        if bodiless:
            if isinstance(response.body, FileSection):
                response.body.file.close()
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(response.body, FileSection):
            await self._stream(response.body, send)
        else:
            await send({"type": "http.response.body", "body": response.body})

    async def _stream(self, section: FileSection, send: Send) -> None:
        loop = asyncio.get_running_loop()
        left = section.length
        with section.file as file:
            file.seek(section.start)
            while left:
                piece = await loop.run_in_executor(self._calls, file.read, min(left, _PIECE))
                if not piece:
                    return  # the file was truncated meanwhile: the client sees too few bytes
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        if not section.length:
            await send({"type": "http.response.body", "body": b""})


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """Receive a piece of the body, and whether it is the last one."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise DisconnectedError
    return message.get("body", b""), not message.get("more_body", False)


def _call(route: Route, request: HttpRequest) -> HttpResponse:
    try:
        return route.respond(request)
    except Exception:  # noqa: BLE001 - the outermost frame of a request
        _log.exception("internal error in response to %s %s", request.method, request.path)
        return route.internal_error(request)


def _length(headers: dict[str, str], route: Route) -> int:
    """Read the length of the body; 0 if it is not given."""
    text = headers.get("content-length", "0")
    length = int(text) if text.isdigit() else 0
    _refuse_longer(length, route)
    return length


def _refuse_longer(length: int, route: Route) -> None:
    if length > route.longest:
        raise RefusedRequestError(413, f"the body has more than {route.longest} bytes")


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    return Path(name)


def _append(file: Path, piece: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(piece)


def refusal_of(headers: Mapping[str, str], port: int) -> str | None:
    """Return why a request is refused; None when it may be processed.

    Args:
        headers: of the request, by lower-case name.
        port: the port that the server listens on.
    """
    host = headers.get("host", "")
    accepted = {f"{name}:{port}" for name in _LOOPBACK}
    if port == _HTTP_PORT:
        accepted.update(_LOOPBACK)
    if host.lower() not in accepted:
        return f"the local SageMaker serves 127.0.0.1:{port}, not the host `{host}`"
    origin = headers.get("origin")
    if origin is not None and not _is_loopback(origin):
        return f"the local SageMaker accepts no requests from pages of `{origin}`"
    if headers.get("sec-fetch-site") == "cross-site":
        return "the local SageMaker accepts no requests from pages of other sites"
    return None


def _is_loopback(origin: str) -> bool:
    try:
        name = urlsplit(origin).hostname
    except ValueError:
        return False
    return name in {"localhost", "127.0.0.1", "::1"}
