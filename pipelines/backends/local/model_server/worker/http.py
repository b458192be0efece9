"""The contract of a serving container, `GET /ping` and `POST /invocations`, over one connection.

Both ends are ours and every message has a Content-Length, so that reading one takes a few lines;
http.server and http.client would take longer over it than a small model over its answer.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from typing import IO, NamedTuple

from .handler import Handler, Reply, Request


class Message(NamedTuple):
    """A request or a response: first line, headers by their names in lower case, body."""

    line: str
    headers: Mapping[str, str]
    body: bytes


def read_message(stream: IO[bytes]) -> Message | None:
    """Read a message; None where the other side has gone."""
    line = stream.readline()
    headers: dict[str, str] = {}
    while (header := stream.readline()) not in {b"\r\n", b""}:
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    length = int(headers.get("content-length", 0))
    body = stream.read(length) if length else b""
    if not header or len(body) < length:
        return None
    return Message(line.decode("latin-1").rstrip(), headers, body)


def message(line: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Write a message."""
    fields = "".join(f"{name}: {_one_line(value)}\r\n" for name, value in headers.items())
    head = f"{line}\r\n{fields}Content-Length: {len(body)}\r\n\r\n"
    return head.encode("latin-1", "replace") + body


def serve(channel: socket.socket, model: Handler | str) -> None:
    """Answer one request after the other until the other side hangs up.

    Args:
        channel: the connection.
        model: what answers; a text says why there is nothing that could.
    """
    with channel.makefile("rb") as stream:
        while request := read_message(stream):
            reply = _reply(request, model)
            headers = {"Content-Type": reply.content_type}
            channel.sendall(message(f"HTTP/1.1 {reply.status} ", headers, reply.body))


def _reply(request: Message, model: Handler | str) -> Reply:
    """Answer a request; `/ping` is 200 with a loaded model only."""
    method, path, _ = request.line.split(" ")
    if isinstance(model, str):
        return _text(500, model)
    match method, path:
        case "GET", "/ping":
            return _text(200, "")
        case "POST", "/invocations":
            given = request.headers
            content_type, accept = given.get("content-type", ""), given.get("accept", "")
            return model.answer(Request(request.body, content_type, accept, given))
        case _:
            return _text(404, f"{method} {path} is neither GET /ping nor POST /invocations")


def _text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), "text/plain; charset=utf-8")


def _one_line(value: str) -> str:
    """Keep a header on its line, whatever the user's code returned."""
    return " ".join(value.split())
