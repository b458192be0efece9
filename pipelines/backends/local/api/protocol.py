"""HTTP on a connection: uvicorn's protocol, for callers that are admitted, and with bounded heads.

What precedes a body is parsed before anything else can look at it, so it is bounded here: a client
could otherwise have the server keep any number of headers in memory.

No request gets another protocol than HTTP/1.1: one that asks for it (`Upgrade: h2c`, as Java's
client does in its first request) is served as if it did not. The parser ends such a message after
its head and skips the body, so the head is parsed again without that header.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any, TypeAlias, cast

import httptools
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from pipelines.backends.local.api.bodies import RESPOND, WHOLE, Send
from pipelines.backends.local.api.gathering import GatheringTransport

Admission: TypeAlias = Callable[[asyncio.Transport], str | None]
"""Returns why a connection is not served; None when it is."""

_MOST_BYTES = 64 << 10
_MOST_HEADERS = 200
_LINGER_SECONDS = 1.0
_UNREADABLE = "Invalid HTTP request received."


class BoundedProtocol(HttpToolsProtocol):
    """One connection.

    Args:
        admission: decides whether the connection is served.
        arguments: what uvicorn gives a protocol.
    """

    def __init__(self, *, admission: Admission, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._admission = admission
        self._in_head = self._is_new = True
        self.url = b""
        self._arrived = self._parsed = self._framing = 0
        self._is_body = False
        self._is_upgrade = False
        self._is_ended = False
        self._idle_since: float | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as in uvicorn
        """Serve the connection, or refuse it before anything is read from it."""
        reason = self._admission(transport)
        if reason is None:
            self._gathering = GatheringTransport(transport)
            super().connection_made(cast("asyncio.Transport", self._gathering))
        else:
            _Refusal(transport, HTTPStatus.FORBIDDEN, reason)

    def data_received(self, data: bytes) -> None:
        """Parse what has arrived."""
        if self._is_ended:
            return
        self._idle_since = None
        try:
            while data:
                data = self._parse(data)
        except httptools.HttpParserError:
            self.send_400_response(_UNREADABLE)

    def _parse(self, data: bytes) -> bytes:
        """Return what is left of the data behind the head of a request for another protocol."""
        rest = b""
        self._is_body = False
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._is_upgrade:
                rest = data[upgrade.args[0] :]
                self._parse_head_again()
            else:  # CONNECT
                self._is_ended = True
        if self._in_head:
            self._arrived += len(data) - self._start_in(data)
        else:
            self._framing = 0 if self._is_body else self._framing + len(data)
        if self._is_too_large() and not self._is_ended:
            self.send_400_response(_UNREADABLE)
        return rest

    def _start_in(self, data: bytes) -> int:
        """Return where the head that has not ended begins in what has just arrived."""
        if not self._is_new:
            return 0
        if not self.url:  # of its first bytes, at most the method
            return len(data)
        self._is_new = False
        return max(0, data.rfind(b"%b %b" % (self.parser.get_method(), self.url)))

    def _parse_head_again(self) -> None:
        """Parse a head without what made it one of another protocol."""
        self._is_upgrade = False
        version = self.parser.get_http_version().encode()
        line = b"%b %b HTTP/%b" % (self.parser.get_method(), self.url, version)
        kept = [b"%b: %b" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        with suppress(AttributeError):  # httptools < 0.6.3; the same as uvicorn's parser
            self.parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self.parser.feed_data(b"\r\n".join((line, *kept, b"", b"")))

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._in_head = self._is_new = True
        self._arrived = self._parsed = self._framing = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._parsed += len(name) + len(value)
        if self._is_too_large() or len(self.headers) >= _MOST_HEADERS:
            self._parsed = _MOST_BYTES + 1
            raise _HeadTooLargeError  # the parser ends, and uvicorn calls send_400_response
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End a head."""
        self._in_head = False
        self._is_upgrade = self.parser.should_upgrade() and self.parser.get_method() != b"CONNECT"
        if not self._is_upgrade:
            super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body."""
        self._is_body = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a message; the application learns if that precedes its call."""
        if not self._is_upgrade:
            super().on_message_complete()
            cycle, state = self.cycle, self.cycle.scope["state"]
            state[WHOLE], state[RESPOND] = True, partial(self._respond, cycle)

    def _respond(
        self, cycle: RequestResponseCycle, status: int, fields: bytes, body: bytes
    ) -> bool:
        """Send a whole response at once, as the cycle's own `send` does in two pieces."""
        if cycle.response_started or cycle.disconnected or cycle.flow.write_paused:
            return False
        if b"\r\nconnection: " in fields:  # which `send` carries out
            return False
        cycle.response_started = cycle.response_complete = True
        ending = b"\r\n" if cycle.keep_alive else b"connection: close\r\n\r\n"
        dated = b"".join(b"%b: %b\r\n" % header for header in cycle.default_headers)
        self._gathering.write_now(b"".join((STATUS_LINE[status], dated, fields, ending, body)))
        cycle.message_event.set()
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()
        return True

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it, with one timer per connection."""
        if self.pipeline or self.transport.is_closing():
            super().on_response_complete()
            return
        self.server_state.total_requests += 1
        self.flow.resume_reading()
        self._idle_since = self.loop.time()
        if self.timeout_keep_alive_task is None:
            self._end_after(self.timeout_keep_alive)

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that has been idle for long enough; look again later where not."""
        self.timeout_keep_alive_task = None
        if self._idle_since is None:
            return
        left = self._idle_since + self.timeout_keep_alive - self.loop.time()
        if left > 0:
            self._end_after(left)
        else:
            super().timeout_keep_alive_handler()

    def _end_after(self, seconds: float) -> None:
        handler = self.timeout_keep_alive_handler
        self.timeout_keep_alive_task = self.loop.call_later(seconds, handler)

    def eof_received(self) -> bool:  # type: ignore[override]  # as in asyncio
        """Close the connection of a client that sends nothing more, after the last response."""
        if self._owes_response():
            self.cycle.keep_alive = False
            return True
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        """End a connection."""
        self._unset_keepalive_if_required()
        super().connection_lost(exc)

    def send_400_response(self, msg: str) -> None:
        """Respond to what cannot be parsed, or to what preceded it, and to nothing after it."""
        self._is_ended = True
        if self._owes_response():
            self.cycle.keep_alive = False  # the connection is closed after it
        elif self.pipeline:  # the body of the last one, which has to wait for its turn
            self.pipeline[0] = (self.cycle, cast("Any", _refuse_body))
        elif self._is_too_large():
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _owes_response(self) -> bool:
        """Return whether a request that has arrived as a whole has no response yet."""
        cycle = self.cycle
        return bool(cycle) and not cycle.more_body and not cycle.response_complete

    def _is_too_large(self) -> bool:
        """Return whether a head has too many bytes, or what frames a body and follows it.

        Those count that have arrived or were parsed.
        """
        return max(self._arrived, self._parsed, self._framing) > _MOST_BYTES

    def _refuse_head(self) -> None:
        self._in_head = False  # the parser may end within a call of `data_received`
        transport = self.transport
        self.connection_lost(ConnectionAbortedError())
        sentence = (
            f"the request line and headers have more than {_MOST_BYTES} bytes or"
            f" {_MOST_HEADERS} lines"
        )
        _Refusal(transport, HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence)


async def _refuse_body(_scope: object, _receive: object, send: Send) -> None:
    """Respond to a request whose body cannot be parsed."""
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(_UNREADABLE)),
        (b"connection", b"close"),
    ]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": _UNREADABLE.encode()})


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
