"""A running model server, spoken to as to a serving container.

The process connects back to a socket of ours, loads the model, and then serves `GET /ping` and
`POST /invocations` over that one connection: when the process dies, the connection ends.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from pathlib import Path
from typing import IO

from pipelines.backends.local.hosting.values import (
    INVOCATION_SECONDS,
    FleetError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.hosting.worker.http import HttpMessage, read_message, write_message
from pipelines.backends.local.jobs.launcher.client import Launcher

START_SECONDS = 180.0
"""How long a container may take until it responds to `/ping`: the limit of a serverless one."""

_TERM_SECONDS = 10.0
_HEADERS = "x-amzn-sagemaker-"
_OK = 200


class ModelServer:
    """A process that has loaded a model; used by one thread at a time.

    Args:
        launcher: the launcher of the process.
        log: the file that the process writes to.

    Attributes:
        start_seconds: how long it took until it responded to `/ping`.
        idle_since: the monotonic clock when its last request ended.
    """

    def __init__(self, launcher: Launcher, log: Path) -> None:
        self._launcher = launcher
        self._log = log
        self._log_start = _size(log)
        self._channel: socket.socket | None = None
        self._stream: IO[bytes] | None = None
        self.start_seconds = 0.0
        self.idle_since = 0.0

    def connect(self, listener: socket.socket, began: float) -> None:
        """Wait until the process has connected and responds to `/ping`.

        Args:
            listener: the socket that the process connects to.
            began: when the process was started, on the monotonic clock.

        Raises:
            FleetError: the model does not load, or not in time.
        """
        self._accept(listener, began + START_SECONDS)
        self._ping(began + START_SECONDS)

    def is_alive(self) -> bool:
        """Return whether the process runs: an idle connection is readable only at its end."""
        channel = self._channel
        return channel is not None and not _ready(0, channel.fileno())

    def invoke(
        self, invocation: Invocation, seconds: float = INVOCATION_SECONDS
    ) -> InvocationResponse:
        """Send a request, which may take so many seconds.

        Raises:
            FleetError: there was no response; the server cannot be used again.
        """
        headers = {
            **invocation.headers,
            "Content-Type": invocation.content_type,
            "Accept": invocation.accept,
        }
        self._log_start = _size(self._log)
        request = write_message("POST /invocations HTTP/1.1", headers, invocation.body)
        try:
            response = self._exchange(request, seconds)
        except TimeoutError:
            raise FleetError(f"the model did not respond within {seconds:.0f} seconds") from None
        if response is None:
            raise FleetError(f"{self._ended()} while it processed a request")
        kept = {
            name: value for name, value in response.headers.items() if name.startswith(_HEADERS)
        }
        content_type = response.headers["content-type"]
        return InvocationResponse(_status(response), response.body, content_type, kept)

    def interrupt(self) -> None:
        """Have the process end; a request that it is processing fails."""
        self._launcher.send_signal(signal.SIGUSR1)

    def stop(self) -> None:
        """End the process and everything it started: SIGTERM, a grace period, SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL):
            self._launcher.send_signal(number)
            if self._launcher.wait(_TERM_SECONDS):
                break
        if self._stream is not None and self._channel is not None:
            self._stream.close()
            self._channel.close()
        self._launcher.close()

    def _accept(self, listener: socket.socket, deadline: float) -> None:
        while True:
            patience = max(0.0, deadline - time.monotonic())
            ready = _ready(patience, listener.fileno(), self._launcher.answers)
            if not ready:
                raise FleetError(f"the model did not load within {START_SECONDS:.0f} seconds")
            if listener.fileno() in ready:
                self._channel = listener.accept()[0]
                self._stream = self._channel.makefile("rb")
                return
            if not self._launcher.read():
                raise FleetError(self._ended())

    def _ping(self, deadline: float) -> None:
        patience = max(0.001, deadline - time.monotonic())
        try:
            response = self._exchange(write_message("GET /ping HTTP/1.1", {}, b""), patience)
        except TimeoutError:
            raise FleetError(f"the model did not load within {START_SECONDS:.0f} seconds") from None
        if response is None:
            raise FleetError(f"{self._ended()} while it loaded the model")
        if _status(response) != _OK:
            said = response.body.decode()
            raise FleetError(f"the model does not load: {said}; its log is {self._log}")

    def _exchange(self, request: bytes, seconds: float) -> HttpMessage | None:
        """Send a request and read its response; None when the process has ended."""
        if self._channel is None or self._stream is None:
            return None
        self._channel.settimeout(seconds)
        try:
            self._channel.sendall(request)
            return read_message(self._stream)
        except (BrokenPipeError, ConnectionResetError):
            return None

    def _ended(self) -> str:
        """Describe how the process ended, from its launcher's result."""
        kind, rest = self._launcher.result()
        match kind:
            case "signal":
                name = signal.Signals(int(rest)).name
                hint = " (out of memory?)" if name == "SIGKILL" else ""
                return f"the model server was killed by {name}{hint}"
            case "exit":
                last = _last_line(self._log, self._log_start)
                return f"the model server ended with exit code {rest}{last}"
            case _:
                reason = rest or "its launcher was killed"
                return f"the model server could not be started: {reason}"


def _ready(seconds: float, *descriptors: int) -> set[int]:
    """Wait until one of them is readable; unlike select, this takes descriptors of any number."""
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in waiting.poll(seconds * 1000)}


def _status(response: HttpMessage) -> int:
    return int(response.line.split(" ")[1])


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _last_line(log: Path, start: int) -> str:
    """Quote the last line that was written to a log after its first `start` bytes."""
    written = log.read_bytes()[start:] if log.exists() else b""
    lines = written.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""
