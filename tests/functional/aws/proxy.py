"""A proxy between boto3 and moto's server: it records calls and injects faults.

`mends` make moto answer as the service does where it is known not to (see `mends.py`).
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Protocol

from tests.functional.aws.seen import Seen, see

_HOP = {"connection", "transfer-encoding", "content-length", "date", "server"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A response: status, body, headers."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


Forward = Callable[[Seen], Answer]


class Mend(Protocol):
    """Answers a request in moto's stead, or changes what moto says; `forward` asks moto."""

    def __call__(self, seen: Seen, forward: Forward) -> Answer | None:
        """Return the answer, None to leave the request to the next mend or to moto."""


def any_call(_seen: Seen) -> bool:
    """Mean every call."""
    return True


@dataclass
class Fault:
    """A fault that calls of one operation meet.

    Args:
        operation: such as PutObject; `*` for every one.
        answer: what is said instead; None resets the connection.
        times: how many calls it meets.
        after: let moto do what was asked first, so that only the answer is lost.
        skip: how many calls pass before.
        match: says which of the operation's calls are meant.
    """

    operation: str
    answer: Answer | None = None
    times: int = 1
    after: bool = False
    skip: int = 0
    match: Callable[[Seen], bool] = any_call

    def meets(self, seen: Seen) -> bool:
        """Say whether it meets this call, and count it."""
        if self.operation not in {"*", seen.operation} or not self.match(seen) or self.times == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        self.times -= 1
        return True


def refusal(code: str, message: str = "", status: int = 400) -> Answer:
    """Say no as AWS JSON services do, and as S3 and STS do: boto3 reads the part it knows."""
    text = (
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error>"
        f"<RequestId>1</RequestId></ErrorResponse>"
    )
    return Answer(status, text.encode(), {"x-amzn-errortype": code, "x-message": message})


def cut_off(body: bytes, whole: int) -> Answer:
    """Say the beginning of an object of so many bytes, and close the connection."""
    return Answer(200, body, {"x-whole": str(whole)})


class Proxy:
    """The proxy, listening on `url`.

    Args:
        moto: host and port of moto's server.
        mends: what is put right of moto.
    """

    def __init__(self, moto: tuple[str, int], mends: tuple[Mend, ...] = ()) -> None:
        self.moto = moto
        self.mends = mends
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self.on_call: Callable[[Seen], None] = lambda _: None
        self.lock = threading.Lock()
        self.server = _Server(("127.0.0.1", 0), _handler(self))

    @property
    def url(self) -> str:
        """Where boto3 is to call."""
        return f"http://127.0.0.1:{self.server.server_address[1]}"

    def operations(self) -> list[str]:
        """Name the operations that were called, in order."""
        return [seen.operation for seen in self.seen]

    def changes(self) -> list[str]:
        """Name the operations that were called and change something, in order."""
        return [seen.operation for seen in self.seen if seen.changes]

    def answer(self, seen: Seen) -> Answer | None:
        """Answer a request; None resets the connection."""
        with self.lock:
            self.seen.append(seen)
            fault = next((fault for fault in self.faults if fault.meets(seen)), None)
        self.on_call(seen)
        if fault is None:
            return self._good(seen)
        if fault.after:
            self._good(seen)
        return _in_the_words_of(seen, fault.answer)

    def _good(self, seen: Seen) -> Answer:
        def forward(changed: Seen) -> Answer:
            return _ask(self.moto, changed)

        for mend in self.mends:
            answer = mend(seen, forward)
            if answer is not None:
                return answer
        return forward(seen)


@contextmanager
def listening(proxy: Proxy) -> Iterator[Proxy]:
    """Serve until the context is left."""
    thread = threading.Thread(target=proxy.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield proxy
    finally:
        proxy.server.shutdown()
        proxy.server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_: object) -> None:
        """Say nothing: the caller was killed, or the connection reset on purpose."""


def _handler(proxy: Proxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # else each answer, written in two pieces, takes 40 ms more

        def do(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = proxy.answer(see(self.command, self.path, headers, body))
            if answer is None:
                _reset(self.connection)
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _HOP:
                    self.send_header(name, value)
            length_kept = answer.headers.get("content-length") if self.command == "HEAD" else None
            whole = answer.headers.get("x-whole")
            self.close_connection = self.close_connection or whole is not None
            self.send_header("Content-Length", whole or length_kept or str(len(answer.body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(answer.body)

        do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do  # noqa: N815 - http.server's names

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def _reset(connection: socket.socket) -> None:
    """Close so that the other side gets a reset instead of an end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    connection.close()


def _in_the_words_of(seen: Seen, answer: Answer | None) -> Answer | None:
    """Write a refusal as the service does; a response to HEAD has no body."""
    if answer is None or "x-amzn-errortype" not in answer.headers:
        return answer
    if seen.method == "HEAD":
        return Answer(answer.status)
    code, message = answer.headers["x-amzn-errortype"], answer.headers["x-message"]
    if seen.service == "s3":
        body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Answer(answer.status, body.encode(), {"content-type": "application/xml"})
    if "x-amz-target" in seen.headers:
        said = json.dumps({"__type": code, "message": message})
        return Answer(answer.status, said.encode(), {"content-type": "application/x-amz-json-1.1"})
    return Answer(answer.status, answer.body, {"content-type": "text/xml"})


def _ask(moto: tuple[str, int], seen: Seen) -> Answer:
    connection = HTTPConnection(*moto, timeout=60)
    try:
        headers = {**seen.headers, "content-length": str(len(seen.body))}
        headers.pop("expect", None)
        connection.request(seen.method, seen.path, seen.body, headers)
        response = connection.getresponse()
        return Answer(
            response.status,
            response.read(),
            {name.lower(): value for name, value in response.getheaders()},
        )
    finally:
        connection.close()
