"""The ASGI application: who may call, the body, the service, the response, one line of log."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias
from urllib.parse import parse_qsl

from pipelines.backends.local.api.bodies import (
    RESPOND,
    WHOLE,
    AsgiMessage,
    Body,
    BodyReader,
    DisconnectedError,
    Receive,
    RefusedRequestError,
    Respond,
    Send,
    discard,
)
from pipelines.backends.local.api.guard import Guard
from pipelines.backends.local.api.json_rpc import one_line
from pipelines.backends.local.api.loop_waiting import LoopWaiting
from pipelines.backends.local.api.messages import (
    FileSection,
    HttpRefusal,
    HttpRequest,
    HttpResponse,
)
from pipelines.backends.local.api.routes import Route
from pipelines.backends.local.state.database import StateError
from pipelines.backends.local.waiting import Waiting
from pipelines.errors import from_outside
from pipelines.frozen import frozen

Router: TypeAlias = Callable[[HttpRequest], Route]

_PIECE = 1 << 20
_SHORT = 100
_THREADS = 16
_INVOCATIONS = 256
_INSUFFICIENT_STORAGE = 507
_BODILESS = frozenset({204, 304})
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[^\t\x20-\x7e\xa0-\xff]")
_ALWAYS = (
    (b"x-content-type-options", b"nosniff"),
    (
        b"content-security-policy",
        b"sandbox; default-src 'none'; img-src 'self' data:; style-src 'self' 'unsafe-inline'",
    ),
)
"""A browser that opens an object runs no script of it: whatever it holds, it is somebody's data."""

_BUG = HttpRefusal(
    "InternalFailure",
    "this is a bug in pipelines: the log of the local SageMaker has the traceback",
    500,
)
_ENDING = HttpRefusal(
    "ServiceUnavailable", "the local SageMaker has ended before the response was there", 503
)
_log = logging.getLogger("pipelines.api")


@frozen
class ServedRequest:
    """One finished request, for the log: operation, status, milliseconds."""

    operation: str
    status: int
    milliseconds: float


RequestObserver: TypeAlias = Callable[[ServedRequest], None]


class ApiApplication:
    """The application.

    Args:
        router: finds the service of a request from all but its body.
        guard: decides which requests are served.
        spool: an existing folder for bodies that are too large for memory.
        observer: called after every request.
    """

    def __init__(
        self, router: Router, guard: Guard, spool: Path, observer: RequestObserver
    ) -> None:
        self._router = router
        self._guard = guard
        self._observer = observer
        self._calls = ThreadPoolExecutor(_THREADS, "api")
        self._invocations = ThreadPoolExecutor(_INVOCATIONS, "invocation")
        self._bodies = BodyReader(spool, self._calls)
        self._quick, self._slow = LoopWaiting(self._calls), LoopWaiting(self._invocations)

    def close(self) -> None:
        """Wait for the running calls."""
        self._calls.shutdown()
        self._invocations.shutdown()
        self._slow.close()

    async def __call__(self, scope: AsgiMessage, receive: Receive, send: Send) -> None:
        """Process one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        request, route = self._received(scope)
        try:
            body = await self._read(request, route, scope, receive)
            response = await self._respond(request, route, body)
        except DisconnectedError:
            return
        except RefusedRequestError as refused:
            if "expect" not in request.headers:  # then the client waits before it sends
                await discard(receive)
            response = _last(route.refuse(request, refused.refusal))
        except asyncio.CancelledError:  # the server ends, and has waited for long enough
            response = _last(route.refuse(request, _ENDING))
        await self._send(response, scope, send)
        spent = (time.perf_counter() - began) * 1000
        self._observer(ServedRequest(response.operation, response.status, spent))

    def _received(self, scope: AsgiMessage) -> tuple[HttpRequest, Route]:
        """Read what precedes the body, and find the service."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in scope["headers"]:
            name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]},{value}" if name in headers else value
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        asked: bytes = scope["query_string"]
        query = dict(parse_qsl(asked.decode("latin-1"), keep_blank_values=True)) if asked else {}
        request = HttpRequest(scope["method"], raw.decode("latin-1"), query, headers)
        return request, self._router(request)

    async def _read(
        self, request: HttpRequest, route: Route, scope: AsgiMessage, receive: Receive
    ) -> Body:
        refusal = self._guard.early_refusal(request, route)
        if refusal is not None:
            raise RefusedRequestError(refusal)
        is_whole = scope["state"].get(WHOLE, False)
        try:
            return await self._bodies.read(receive, request, route, is_whole=is_whole)
        except OSError as error:
            raise RefusedRequestError(_storage_refusal(error, self._bodies.folder)) from None

    async def _respond(self, request: HttpRequest, route: Route, body: Body) -> HttpResponse:
        whole = HttpRequest(
            request.method, request.path, request.query, request.headers, body.data, body.spool
        )
        refusal = self._guard.late_refusal(whole, route)
        if refusal is not None:
            raise RefusedRequestError(refusal)
        try:
            waiting = self._slow if route.is_slow else self._quick
            return await _call(route, whole, waiting, self._bodies.folder)
        finally:
            if body.spool is not None:
                body.spool.unlink(missing_ok=True)

    async def _send(self, response: HttpResponse, scope: AsgiMessage, send: Send) -> None:
        body, bodiless = response.body, scope["method"] == "HEAD"
        length = body.length if isinstance(body, FileSection) else len(body)
        headers = {"Content-Length": str(length), **response.headers}
        if response.status in _BODILESS:
            del headers["Content-Length"]
            bodiless = True
        if not bodiless and isinstance(body, bytes):
            respond: Respond | None = scope["state"].pop(RESPOND, None)
            if respond is not None and respond(response.status, _fields(headers), body):
                return
        raw = [*_raw(headers), *_ALWAYS]
        await send({"type": "http.response.start", "status": response.status, "headers": raw})
        if bodiless:
            if isinstance(body, FileSection):
                body.file.close()
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(body, FileSection):
            await self._stream(body, send)
        else:
            await send({"type": "http.response.body", "body": body})

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


async def _call(
    route: Route, request: HttpRequest, waiting: Waiting, storage: Path
) -> HttpResponse:
    try:
        return await route.respond(waiting, request)
    except StateError as error:
        return route.refuse(request, HttpRefusal(_BUG.code, one_line(error), _BUG.status))
    except Exception as error:  # noqa: BLE001 - the outermost frame of a request
        if isinstance(error, OSError) and from_outside(error) is not None:
            return route.refuse(request, _storage_refusal(error, storage))
        _log.exception("internal error in response to %s %s", request.method, request.path)
        return route.refuse(request, _BUG)


def _storage_refusal(error: OSError, storage: Path) -> HttpRefusal:
    """Refuse a request because of the disk, a permission or a limit of this machine."""
    message = from_outside(error, storage) or str(error)
    return HttpRefusal("ServiceUnavailable", message, _INSUFFICIENT_STORAGE)


def _last(response: HttpResponse) -> HttpResponse:
    """Close the connection after a response."""
    headers = {**response.headers, "Connection": "close"}
    return HttpResponse(response.status, headers, response.body, response.operation)


def _raw(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Encode headers; what a model's own code put into them may not be valid there."""
    return [
        (name.lower().encode("latin-1"), _CONTROL.sub("?", value).encode("latin-1"))
        for name, value in headers.items()
        if _NAME.fullmatch(name)
    ]


def _fields(headers: Mapping[str, str]) -> bytes:
    """Write headers as they are sent; short ones are written once."""
    lines = [
        _field(name, value) if len(value) <= _SHORT else _field.__wrapped__(name, value)
        for name, value in headers.items()
    ]
    return b"".join((*lines, _ALWAYS_SENT))


@lru_cache(1024)
def _field(name: str, value: str) -> bytes:
    return _lines(_raw({name: value}))


def _lines(headers: Iterable[tuple[bytes, bytes]]) -> bytes:
    return b"".join(b"%b: %b\r\n" % header for header in headers)


_ALWAYS_SENT = _lines(_ALWAYS)
