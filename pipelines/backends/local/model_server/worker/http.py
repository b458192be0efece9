"""The contract of a serving container, `GET /ping` and `POST /invocations`, over one connection."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler
from typing import Any

from .handler import Handler, Reply, Request


def serve(channel: socket.socket, model: Handler | str) -> None:
    """Answer one request after the other until the other side hangs up.

    Args:
        channel: the connection.
        model: what answers; a text says why there is nothing that could.
    """

    class Bound(_Exchange):
        answering = model

    Bound(channel, ("", 0), None)  # type: ignore[arg-type]  # it never looks at its server


class _Exchange(BaseHTTPRequestHandler):
    """Requests and responses of one connection."""

    protocol_version = "HTTP/1.1"
    answering: Handler | str

    def do_GET(self) -> None:
        """Answer `/ping`: 200 only with a loaded model."""
        if self.path != "/ping":
            self._send(_text(404, f"{self.path} is not /ping"))
        elif isinstance(self.answering, str):
            self._send(_text(500, self.answering))
        else:
            self._send(Reply(200, b"", "text/plain"))

    def do_POST(self) -> None:
        """Answer `/invocations`."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path != "/invocations" or isinstance(self.answering, str):
            self._send(_text(404, f"{self.path} is not /invocations"))
            return
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(body, headers.get("content-type", ""), headers.get("accept", ""), headers)
        self._send(self.answering.answer(request))

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: who asks keeps the log of requests."""

    def _send(self, reply: Reply) -> None:
        """Write a response at once: a head and a body apart would wait for each other."""
        head = (
            f"HTTP/1.1 {reply.status} \r\nContent-Type: {_line(reply.content_type)}\r\n"
            f"Content-Length: {len(reply.body)}\r\n\r\n"
        )
        self.wfile.write(head.encode("latin-1", "replace") + reply.body)


def _line(text: str) -> str:
    """Keep a header on its line, whatever the user's code returned."""
    return " ".join(text.split())


def _text(status: int, text: str) -> Reply:
    return Reply(status, text.encode(), "text/plain; charset=utf-8")
