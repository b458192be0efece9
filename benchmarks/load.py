"""Requests to a server from a separate process, over connections that are kept open.

    python -m benchmarks.load URL BODY CONNECTIONS SECONDS

The request is written once and responses are hardly looked at: what this process spends on them is
missing on the servers that share its processors, the more the faster they are.
"""

from __future__ import annotations

import json
import re
import selectors
import socket
import statistics
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.pairs import ROOT

_TIMEOUT = 60.0
_HEAD_END = b"\r\n\r\n"
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """What to send: the URL, the JSON body, how many connections, for how many seconds."""

    url: str
    body: Path
    connections: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Seen:
    """The result: median milliseconds, requests per second, how many there were."""

    p50: float
    rate: float
    count: int


def measure(load: Load) -> Seen:
    """Generate a load from another process.

    Raises:
        SystemExit: a response was not 200.
    """
    words = (load.url, str(load.body), str(load.connections), str(load.seconds))
    done = subprocess.run(
        (sys.executable, "-m", "benchmarks.load", *words),
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return Seen(**json.loads(done.stdout))


class Connection:
    """One connection, with one request at a time."""

    def __init__(self, load: Load) -> None:
        address = urlsplit(load.url)
        self.socket = socket.create_connection((address.hostname, address.port), _TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        body = load.body.read_bytes()
        head = (
            f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n"
            "Content-Type: application/json\r\nAccept: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        self._request = head.encode() + body
        self._received = b""
        self._sent = 0.0

    def ask(self) -> None:
        """Send the request."""
        self._sent = time.perf_counter()
        self.socket.sendall(self._request)

    def took(self) -> float | None:
        """Read; return the seconds since the request where the response is complete.

        Raises:
            SystemExit: it is not 200, or has no length.
        """
        self._received += self.socket.recv(1 << 16)
        head, end, body = self._received.partition(_HEAD_END)
        if not end:
            if not head:
                sys.exit("the server closed the connection")
            return None
        length = _LENGTH.search(head)
        if length is None or b" 200 " not in head[:16]:
            sys.exit(f"not a response with 200 and a length: {self._received[:500]!r}")
        if len(body) < int(length[1]):
            return None
        self._received = b""
        return time.perf_counter() - self._sent


def main(load: Load) -> Seen:
    """Send requests over all connections at once until the time is up."""
    times: list[float] = []
    with selectors.DefaultSelector() as selector:
        began = time.perf_counter()
        until = began + load.seconds
        for _ in range(load.connections):
            connection = Connection(load)
            selector.register(connection.socket, selectors.EVENT_READ, connection)
            connection.ask()
        while selector.get_map():
            ready = selector.select(_TIMEOUT)
            if not ready:
                sys.exit(f"no response within {_TIMEOUT:.0f} seconds")
            for key, _ in ready:
                connection = key.data
                seconds = connection.took()
                if seconds is None:
                    continue
                times.append(seconds)
                if time.perf_counter() < until:
                    connection.ask()
                else:
                    selector.unregister(connection.socket)
                    connection.socket.close()
    spent = time.perf_counter() - began
    return Seen(statistics.median(times) * 1000, len(times) / spent, len(times))


if __name__ == "__main__":
    url, body, connections, seconds = sys.argv[1:]
    print(json.dumps(asdict(main(Load(url, Path(body), int(connections), float(seconds))))))
