"""The contract of a serving container, `GET /ping` and `POST /invocations`, over one connection.

Both ends are ours and every message has a Content-Length, so reading one takes a few lines;
http.server and http.client would take longer than a small model takes for its prediction.

Requests are numbered, and a response has the number of its request. A request may be begun when its
number can be read from a second socket, the offers: the other side can take it back until then.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Mapping
from typing import NamedTuple, Protocol

from .handler import InvocationReply, InvocationRequest

PIECE = 1 << 16
"""How many bytes are read at once."""

OFFER = struct.Struct("!Q")
"""The number of a request, as it is offered."""

_NUMBER = "x-pipelines-number"
_END = b"\r\n\r\n"


class RequestHandler(Protocol):
    """A loaded model that processes requests."""

    def reply(self, request: InvocationRequest) -> InvocationReply:
        """Process one."""


class HttpMessage(NamedTuple):
    """A request or a response: first line, headers by lower-case name, body, number (0: none)."""

    line: str
    headers: Mapping[str, str]
    body: bytes
    number: int


class _Head(NamedTuple):
    """What precedes a body, and the body's length."""

    line: str
    headers: Mapping[str, str]
    number: int
    length: int


class MessageReader:
    """Puts messages together from the pieces in which they arrive on one connection."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._received = 0
        self._head: _Head | None = None

    def add(self, piece: bytes) -> None:
        """Take what has arrived."""
        self._pieces.append(piece)
        self._received += len(piece)

    def next(self) -> HttpMessage | None:
        """Return the next message; None while it is not complete.

        Raises:
            ValueError: what has arrived is none.
        """
        if self._head is None and not self._has_head():
            return None
        if self._head is None or self._received < self._head.length:
            return None
        line, headers, number, length = self._head
        body = b"".join(self._pieces)
        self._head = None
        self._keep(body[length:])
        return HttpMessage(line, headers, body[:length], number)

    def _has_head(self) -> bool:
        """Read the head, which is all up to the first empty line."""
        data = b"".join(self._pieces)
        head, end, rest = data.partition(_END)
        self._keep(rest if end else data)
        if not end:
            return False
        line, *fields = head.decode("latin-1").split("\r\n")
        headers = {}
        for field in fields:
            name, _, value = field.partition(":")
            headers[name.lower()] = value.strip()
        number = int(headers.pop(_NUMBER, 0))
        self._head = _Head(line, headers, number, int(headers.get("content-length", 0)))
        return True

    def _keep(self, rest: bytes) -> None:
        self._pieces, self._received = [rest] if rest else [], len(rest)


def write_message(line: str, headers: Mapping[str, str], body: bytes, number: int = 0) -> bytes:
    """Write a message; that with the number 0 has none."""
    numbered = f"{_NUMBER}: {number}\r\n" if number else ""
    fields = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in headers.items())
    head = f"{line}\r\n{fields}{numbered}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1", "replace") + body


def serve(
    channel: socket.socket, model: RequestHandler | str, offers: socket.socket | None = None
) -> None:
    """Serve one request after the other until the other side closes.

    Args:
        channel: the connection.
        model: the handler; or the reason why there is none.
        offers: where the numbers of requests are offered; None where each may be begun.
    """
    reader = MessageReader()
    while request := _received(channel, reader, offers):
        reply = _reply(request, model)
        headers = {**reply.headers, "Content-Type": reply.content_type}
        line = f"HTTP/1.1 {reply.status} "
        channel.sendall(write_message(line, headers, reply.body, request.number))


def _received(
    channel: socket.socket, reader: MessageReader, offers: socket.socket | None
) -> HttpMessage | None:
    """Read the next request that may be begun; None when the other side has closed."""
    if offers is None:
        return _next(channel, reader)
    offer = offers.recv(OFFER.size)
    if not offer:
        return None
    (number,) = OFFER.unpack(offer)
    while (message := _next(channel, reader)) and message.number != number:
        continue  # it was taken back
    return message


def _next(channel: socket.socket, reader: MessageReader) -> HttpMessage | None:
    """Read a request; None when the other side has closed."""
    while (message := reader.next()) is None:
        piece = channel.recv(PIECE)
        if not piece:
            return None
        reader.add(piece)
    return message


def _reply(request: HttpMessage, model: RequestHandler | str) -> InvocationReply:
    """Serve a request; `/ping` is 200 only with a loaded model."""
    method, path, _ = request.line.split(" ")
    if isinstance(model, str):
        return _text(500, model)
    match method, path:
        case "GET", "/ping":
            return _text(200, "")
        case "POST", "/invocations":
            given = request.headers
            content_type, accept = given.get("content-type", ""), given.get("accept", "")
            return model.reply(InvocationRequest(request.body, content_type, accept, given))
        case _:
            return _text(404, f"{method} {path} is neither GET /ping nor POST /invocations")


def _text(status: int, text: str) -> InvocationReply:
    return InvocationReply(status, text.encode(), "text/plain; charset=utf-8")


def _one_line(value: str) -> str:
    """Remove line breaks from a header value, which the user's code may have returned."""
    return " ".join(value.split())
