"""The ASGI application: guard, body, the service that is meant, the answer, one line of log."""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
import time
from collections.abc import Awaitable, Callable, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import parse_qsl

from pipelines.backends.local.api.guard import refusal
from pipelines.backends.local.api.messages import Answer, Request, Section
from pipelines.backends.local.api.routes import Route
from pipelines.frozen import frozen

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Router: TypeAlias = Callable[[Request], Route]

_IN_MEMORY = 8 << 20
_PIECE = 1 << 20
_THREADS = 16
_INVOCATIONS = 256

_log = logging.getLogger("pipelines.api")


@frozen
class Served:
    """One answered request, for the log: operation, status, milliseconds."""

    operation: str
    status: int
    milliseconds: float


Observer: TypeAlias = Callable[[Served], None]


class RefusedError(Exception):
    """The request ends with this answer before a service has seen it."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.answer = Answer(status, {"Content-Type": "text/plain; charset=utf-8"}, reason.encode())


class GoneError(Exception):
    """The client went away in the middle of its request."""


class App:
    """The application.

    Args:
        router: finds the service of a request, by everything but its body.
        port: the port that Host must name.
        spool: an existing folder for bodies that are too large for memory.
        observer: told about every request.
    """

    def __init__(self, router: Router, port: int, spool: Path, observer: Observer) -> None:
        self._router = router
        self._port = port
        self._spool = spool
        self._observer = observer
        self._calls = ThreadPoolExecutor(_THREADS, "api")
        self._invocations = ThreadPoolExecutor(_INVOCATIONS, "invocation")

    def close(self) -> None:
        """Wait for the calls under way."""
        self._calls.shutdown()
        self._invocations.shutdown()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        began = time.perf_counter()
        try:
            answer = await self._answer(scope, receive)
        except GoneError:
            return
        except RefusedError as refused:
            answer = refused.answer
        await self._send(answer, scope["method"] == "HEAD", send)
        spent = (time.perf_counter() - began) * 1000
        self._observer(Served(answer.operation, answer.status, spent))

    async def _answer(self, scope: Message, receive: Receive) -> Answer:
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        reason = refusal(headers, self._port)
        if reason is not None:
            raise RefusedError(403, reason)
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        request = Request(scope["method"], raw.decode("latin-1"), query, headers)
        route = self._router(request)
        body, spool = await self._body(receive, _length(headers, route), route)
        request = Request(request.method, request.path, query, headers, body, spool)
        pool = self._invocations if route.is_slow else self._calls
        try:
            return await asyncio.get_running_loop().run_in_executor(pool, _call, route, request)
        finally:
            if spool is not None:
                spool.unlink(missing_ok=True)

    async def _body(self, receive: Receive, length: int, route: Route) -> tuple[bytes, Path | None]:
        """Read a body: small ones into memory, large ones into a file where the route takes it."""
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

    async def _send(self, answer: Answer, bodiless: bool, send: Send) -> None:  # noqa: FBT001 - HEAD
        length = answer.body.length if isinstance(answer.body, Section) else len(answer.body)
        headers = {"Content-Length": str(length), **answer.headers}
        if answer.status in {204, 304}:
            del headers["Content-Length"]
            bodiless = True
        raw = [
            (name.lower().encode("latin-1"), value.encode("latin-1"))
            for name, value in headers.items()
        ]
        await send({"type": "http.response.start", "status": answer.status, "headers": raw})
        if bodiless:
            if isinstance(answer.body, Section):
                answer.body.file.close()
            await send({"type": "http.response.body", "body": b""})
        elif isinstance(answer.body, Section):
            await self._stream(answer.body, send)
        else:
            await send({"type": "http.response.body", "body": answer.body})

    async def _stream(self, section: Section, send: Send) -> None:
        loop = asyncio.get_running_loop()
        left = section.length
        with section.file as file:
            file.seek(section.start)
            while left:
                piece = await loop.run_in_executor(self._calls, file.read, min(left, _PIECE))
                if not piece:
                    return  # cut short meanwhile: the client sees too few bytes
                left -= len(piece)
                await send({"type": "http.response.body", "body": piece, "more_body": left > 0})
        if not section.length:
            await send({"type": "http.response.body", "body": b""})


async def _piece(receive: Receive) -> tuple[bytes, bool]:
    """Receive a piece of the body, and whether it is the last one."""
    message = await receive()
    if message["type"] == "http.disconnect":
        raise GoneError
    return message.get("body", b""), not message.get("more_body", False)


def _call(route: Route, request: Request) -> Answer:
    try:
        return route.answer(request)
    except Exception:  # noqa: BLE001 - the outermost frame of a request
        _log.exception("our bug, in answer to %s %s", request.method, request.path)
        return route.bug(request)


def _length(headers: dict[str, str], route: Route) -> int:
    """Read how long the body will be; 0 where that is not said."""
    text = headers.get("content-length", "0")
    length = int(text) if text.isdigit() else 0
    _refuse_longer(length, route)
    return length


def _refuse_longer(length: int, route: Route) -> None:
    if length > route.longest:
        raise RefusedError(413, f"the body has more than {route.longest} bytes")


def _new_file(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=folder)
    os.close(descriptor)
    return Path(name)


def _append(file: Path, piece: bytes) -> None:
    with file.open("ab") as stream:
        stream.write(piece)
