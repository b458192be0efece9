"""One model server: a process behind a launcher of the jobs, spoken to as to a container.

The process dials back to a socket of ours, loads the model, and then answers `GET /ping` and
`POST /invocations` over that one connection: when it dies, however it does, the connection ends.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from pathlib import Path
from typing import IO

from pipelines.backends.local.jobs import launchers
from pipelines.backends.local.jobs.isolation import Cell
from pipelines.backends.local.model_server.container import Container
from pipelines.backends.local.model_server.values import Answer, FleetError, Invocation
from pipelines.backends.local.model_server.worker.http import Message, message, read_message

START_SECONDS = 180.0
"""How long a container may take until it answers `/ping`: the limit of a serverless one."""

INVOCATION_SECONDS = 60.0
"""How long it may take over a request (FACTS 3.4)."""

_TERM_SECONDS = 10.0
_HEADERS = "x-amzn-sagemaker-"
_OK = 200


class Server:
    """A process that has a model loaded; used by one thread at a time.

    Attributes:
        start_seconds: how long it took until it answered `/ping`.
        idle_since: the monotonic clock when it last had nothing to do.
    """

    def __init__(self, launcher: launchers.Launcher, log: Path) -> None:
        self._launcher = launcher
        self._log = log
        self._read = _size(log)
        self._channel: socket.socket | None = None
        self._stream: IO[bytes] | None = None
        self.start_seconds = 0.0
        self.idle_since = 0.0

    @classmethod
    def start(cls, container: Container, log: Path) -> Server:
        """Start a server and wait until it answers `/ping`.

        Raises:
            FleetError: the model does not load, or not in time.
        """
        began = time.monotonic()
        address = container.job.scratch / f"{os.urandom(4).hex()}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen(1)
            server = cls(_launch(container, address, log), log)
            try:
                server._connect(listener, began + START_SECONDS)
                server._ping(began + START_SECONDS)
            except BaseException:
                server.stop()
                raise
            finally:
                address.unlink()
        server.start_seconds = time.monotonic() - began
        return server

    def is_alive(self) -> bool:
        """Whether the process is there: an idle connection is readable only when it has ended."""
        channel = self._channel
        return channel is not None and not _ready(0, channel.fileno())

    def invoke(self, invocation: Invocation) -> Answer:
        """Send a request.

        Raises:
            FleetError: there was no answer; the server is of no use any more.
        """
        headers = {
            **invocation.headers,
            "Content-Type": invocation.content_type,
            "Accept": invocation.accept,
        }
        self._read = _size(self._log)
        try:
            response = self._exchange(
                message("POST /invocations HTTP/1.1", headers, invocation.body), INVOCATION_SECONDS
            )
        except TimeoutError:
            raise FleetError(
                f"the model gave no answer within {INVOCATION_SECONDS:.0f} seconds"
            ) from None
        if response is None:
            raise FleetError(f"{self._ended()} while it answered a request")
        kept = {
            name: value for name, value in response.headers.items() if name.startswith(_HEADERS)
        }
        return Answer(_status(response), response.body, response.headers["content-type"], kept)

    def stop(self) -> None:
        """End the process and everything it started: SIGTERM, some patience, SIGKILL."""
        for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGKILL):
            self._launcher.send_signal(number)
            if self._launcher.wait(_TERM_SECONDS):
                break
        if self._stream is not None and self._channel is not None:
            self._stream.close()
            self._channel.close()
        self._launcher.close()

    def _connect(self, listener: socket.socket, deadline: float) -> None:
        while True:
            patience = max(0.0, deadline - time.monotonic())
            ready = _ready(patience, listener.fileno(), self._launcher.answers)
            if not ready:
                raise FleetError(f"the model did not load within {START_SECONDS:.0f} seconds")
            if listener.fileno() in ready:
                self._channel = listener.accept()[0]
                self._stream = self._channel.makefile("rb")
                return
            if not self._launcher.hear():
                raise FleetError(self._ended())

    def _ping(self, deadline: float) -> None:
        patience = max(0.001, deadline - time.monotonic())
        try:
            response = self._exchange(message("GET /ping HTTP/1.1", {}, b""), patience)
        except TimeoutError:
            raise FleetError(f"the model did not load within {START_SECONDS:.0f} seconds") from None
        if response is None:
            raise FleetError(f"{self._ended()} while the model was loaded")
        if _status(response) != _OK:
            raise FleetError(f"the model does not load: {response.body.decode()}")

    def _exchange(self, request: bytes, seconds: float) -> Message | None:
        """Send a request and read its response; None where the process has ended."""
        if self._channel is None or self._stream is None:
            return None
        self._channel.settimeout(seconds)
        try:
            self._channel.sendall(request)
            return read_message(self._stream)
        except (BrokenPipeError, ConnectionResetError):
            return None

    def _ended(self) -> str:
        """Say how the process ended, from what its launcher says of it."""
        kind, rest = self._launcher.end()
        match kind:
            case "signal":
                name = signal.Signals(int(rest)).name
                hint = " (out of memory?)" if name == "SIGKILL" else ""
                return f"the model server was killed by {name}{hint}"
            case "exit":
                return f"the model server ended with exit code {rest}{_last(self._log, self._read)}"
            case _:
                return f"the model server could not be started: {rest or 'its launcher is gone'}"


def _ready(seconds: float, *descriptors: int) -> set[int]:
    """Wait until one of them can be read; unlike select, whatever their numbers are."""
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in waiting.poll(seconds * 1000)}


def _status(response: Message) -> int:
    return int(response.line.split(" ")[1])


def _launch(container: Container, address: Path, log: Path) -> launchers.Launcher:
    """Start the process.

    Raises:
        FleetError: this machine has none to spare.
    """
    host = container.host
    cell = Cell(container.job.isolation, host.name, host.ml, host.root / "hosts")
    settle = {
        "log": str(log),
        "folder": str(host.root / "work"),
        "environment": dict(container.environment),
    }
    try:
        return launchers.launch(cell.order([*container.words, str(address)], settle))
    except OSError as error:
        raise FleetError(f"the model server cannot be started: {error.strerror}") from error


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def _last(log: Path, start: int) -> str:
    """Quote the last line of what was written to a log since it had `start` bytes."""
    written = log.read_bytes()[start:] if log.exists() else b""
    lines = written.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""
