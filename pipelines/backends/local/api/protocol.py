"""HTTP on a connection: uvicorn's protocol, for callers that are admitted, and with bounded heads.

What precedes a body is parsed before anything else can look at it, so it is bounded here: a client
could otherwise have the server keep any number of headers in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, TypeAlias, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from pipelines.backends.local.api.bodies import WHOLE
from pipelines.backends.local.api.gathering import GatheringTransport

Admission: TypeAlias = Callable[[asyncio.Transport], str | None]
"""Returns why a connection is not served; None when it is."""

_MOST_BYTES = 64 << 10
_MOST_HEADERS = 200
_LINGER_SECONDS = 1.0


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        admission: decides whether the connection is served.
        arguments: what uvicorn gives a protocol.
    """

    def __init__(self, *, admission: Admission, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._admission = admission
        self._in_head = True
        self._head_bytes = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Serve the connection, or refuse it before anything is read from it."""
        reason = self._admission(transport)
        if reason is None:
            super().connection_made(cast("asyncio.Transport", GatheringTransport(transport)))
        else:
            _Refusal(transport, HTTPStatus.FORBIDDEN, reason)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        super().data_received(data)
        if self._in_head:
            self._head_bytes += len(data)
            if self._is_too_large():
                self._refuse_head()

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._head_bytes += len(name) + len(value)
        if self._is_too_large() or len(self.headers) >= _MOST_HEADERS:
            self._head_bytes = _MOST_BYTES + 1
            raise _HeadTooLargeError  # the parser ends, and uvicorn calls send_400_response
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head."""
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End a message; the application learns if that precedes its call."""
        super().on_message_complete()
        self.cycle.scope["state"][WHOLE] = True

    def send_400_response(self, msg: str) -> None:
        """Respond to what cannot be parsed."""
        if self._is_too_large():
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _is_too_large(self) -> bool:
        return self._head_bytes > _MOST_BYTES

    def _refuse_head(self) -> None:
        self._in_head = False  # the parser may end within a call of `data_received`
        transport = self.transport
        self.connection_lost(ConnectionAbortedError())
        sentence = (
            f"the request line and headers have more than {_MOST_BYTES} bytes or"
            f" {_MOST_HEADERS} lines"
        )
        _Refusal(transport, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence)


class _HeadTooLargeError(Exception):
    """The request has too many headers, or too large ones."""


class _Refusal(asyncio.Protocol):
    """Responds on a connection and ignores what still arrives, so that the client can read it."""

    def __init__(self, transport: asyncio.Transport, status: HTTPStatus, sentence: str) -> None:
        transport.set_protocol(self)
        body = f"{sentence}\n".encode()
        head = (
            f"HTTP/1.1 {status.value} {status.phrase}\r\n"
            "content-type: text/plain; charset=utf-8\r\n"
            f"content-length: {len(body)}\r\n"
            "connection: close\r\n\r\n"
        )
        transport.write(head.encode() + body)
        transport.write_eof()
        transport.resume_reading()
        self._end = asyncio.get_running_loop().call_later(_LINGER_SECONDS, transport.abort)

    def connection_lost(self, _error: Exception | None) -> None:
        """Forget the connection."""
        self._end.cancel()
