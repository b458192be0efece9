"""The contract of a serving container, `GET /ping` and `POST /invocations`, over one connection.

Both ends are ours and every message has a Content-Length, so reading one takes a few lines;
http.server and http.client would take longer than a small model takes for its prediction.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import IO, NamedTuple, Protocol

from .handler import InvocationReply, InvocationRequest


class RequestHandler(Protocol):
    """A loaded model that processes requests."""

    def reply(self, request: InvocationRequest) -> InvocationReply:
        """Process one."""


class HttpMessage(NamedTuple):
    """A request or a response: first line, headers by lower-case name, body."""

    line: str
    headers: Mapping[str, str]
    body: bytes


def read_message(stream: IO[bytes]) -> HttpMessage | None:
    """Read a message; None when the other side has closed."""
    line = stream.readline()
    headers: dict[str, str] = {}
    while (header := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = stream.read(length) if length else b""
    if not header or len(body) < length:
        return None
    return HttpMessage(line.decode("latin-1").rstrip(), headers, body)


def write_message(line: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Write a message."""
    fields = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in headers.items())
    head = f"{line}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1", "replace") + body


def serve(channel: socket.socket, model: RequestHandler | str) -> None:
    """Serve one request after the other until the other side closes.

    Args:
        channel: the connection.
        model: the handler; or the reason why there is none.
    """
    with channel.makefile("rb") as stream:
        while request := read_message(stream):
            reply = _reply(request, model)
            headers = {**reply.headers, "Content-Type": reply.content_type}
            channel.sendall(write_message(f"HTTP/1.1 {reply.status} ", headers, reply.body))


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
