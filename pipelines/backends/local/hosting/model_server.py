"""A running model server, spoken to as to a serving container.

The process connects back to a socket of ours, loads the model, and then serves `GET /ping` and
`POST /invocations` over that one connection: when the process dies, the connection ends.
"""

from __future__ import annotations

import select
import signal
import socket
import time
from collections import deque
from pathlib import Path
from typing import NamedTuple

from pipelines.backends.local.hosting.values import (
    FleetError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.hosting.worker.http import (
    PIECE,
    HttpMessage,
    MessageReader,
    write_message,
)
from pipelines.backends.local.jobs.launcher.client import Launcher
from pipelines.backends.local.waiting import BLOCKING, Waiting, in_this_thread

START_SECONDS = 180.0
"""How long a container may take until it responds to `/ping`: the limit of a serverless one."""

_TERM_SECONDS = 10.0
_MOST_HANDED = 2
_HEADERS = "x-amzn-sagemaker-"
_OK = 200


class _Handed(NamedTuple):
    """A request that was handed over: what is left to send, and how long the log was then."""

    invocation: Invocation
    left: memoryview
    log_start: int


class ModelServer:
    """A process that has loaded a model: it processes one request at a time.

    The next ones can be handed over meanwhile: then the process need not be woken for them.

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
        self._reader = MessageReader()
        self._handed: deque[_Handed] = deque()
        self._is_processing = False
        self._is_spoiled = False
        self._is_ready = False
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
        self._is_ready = True

    def is_alive(self) -> bool:
        """Return whether the process runs: an idle connection is readable only at its end.

        One that has been handed a request may have answered it.
        """
        channel = self._channel
        if channel is None or self._is_spoiled:
            return False
        return bool(self._handed) or not _ready(0, channel.fileno())

    def hand_over(self, invocation: Invocation) -> bool:
        """Send a request while an earlier one is processed, if that can be done at once.

        Returns:
            Whether that was done: then `answer` has to follow, in the same order, or `spoil`.
        """
        channel, handed = self._channel, self._handed
        try:
            is_whole = not handed[-1].left
        except IndexError:  # also where another thread has just taken the last one
            is_whole = self._is_processing
        is_full = not is_whole or len(handed) >= _MOST_HANDED
        if channel is None or self._is_spoiled or is_full:
            return False
        request, log_start = _request(invocation), _size(self._log)
        if len(request) > PIECE:
            return False
        try:
            sent = channel.send(request)
        except OSError:  # it is full, or has ended
            return False
        handed.append(_Handed(invocation, memoryview(request)[sent:], log_start))
        return True

    def spoil(self) -> None:
        """Let the server not be used again: nobody will read one of its responses."""
        self._is_spoiled = True

    async def answer(
        self, invocation: Invocation, waiting: Waiting, seconds: float
    ) -> InvocationResponse:
        """Send a request, which may take so many seconds.

        Raises:
            FleetError: there was no response; the server cannot be used again.
        """
        until = time.monotonic() + seconds
        try:
            if self._handed and self._handed[0].invocation is invocation:
                _, left, self._log_start = self._handed[0]
                response = await self._exchange(left, waiting, until, handed=True)
            else:
                self._log_start = _size(self._log)
                response = await self._exchange(_request(invocation), waiting, until)
        except TimeoutError:
            raise FleetError(f"the model did not respond within {seconds:.0f} seconds") from None
        if response is None:
            ended = await waiting.call(self._ended)
            raise FleetError(f"{ended} while it processed a request")
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
        if self._channel is not None:
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
                self._channel.settimeout(0)
                return
            if not self._launcher.read():
                raise FleetError(self._ended())

    def _ping(self, deadline: float) -> None:
        ping = write_message("GET /ping HTTP/1.1", {}, b"")
        try:
            response = in_this_thread(self._exchange(ping, BLOCKING, deadline))
        except TimeoutError:
            raise FleetError(f"the model did not load within {START_SECONDS:.0f} seconds") from None
        if response is None:
            raise FleetError(f"{self._ended()} while it loaded the model")
        if _status(response) != _OK:
            said = response.body.decode()
            raise FleetError(f"the model does not load: {said}; its log is {self._log}")

    async def _exchange(
        self,
        request: bytes | memoryview,
        waiting: Waiting,
        until: float,
        *,
        handed: bool = False,
    ) -> HttpMessage | None:
        """Send a request, or what is left of it, and read its response.

        Returns:
            The response; None when the process has ended.

        Raises:
            TimeoutError: it was not there by the time `until`, of the monotonic clock.
        """
        channel = self._channel
        if channel is None:
            return None
        try:
            await _send(channel, request, waiting, until)
            if handed:
                self._handed.popleft()
            self._is_processing = self._is_ready
            return await self._receive(channel, waiting, until, handed=handed)
        except (BrokenPipeError, ConnectionResetError):
            return None
        finally:
            self._is_processing = False

    async def _receive(
        self, channel: socket.socket, waiting: Waiting, until: float, *, handed: bool
    ) -> HttpMessage | None:
        """Read a response; that to what was handed over may be there already."""
        may_be_there = handed
        while (message := self._reader.next()) is None:
            if not may_be_there:
                await waiting.readable(channel, until)
            try:
                piece = channel.recv(PIECE)
            except BlockingIOError:
                may_be_there = False
                continue
            if not piece:
                return None
            self._reader.add(piece)
            may_be_there = True  # nobody tells of the rest where the other side has ended
        return message

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


def _request(invocation: Invocation) -> bytes:
    """Write a request to the model."""
    headers = {
        **invocation.headers,
        "Content-Type": invocation.content_type,
        "Accept": invocation.accept,
    }
    return write_message("POST /invocations HTTP/1.1", headers, invocation.body)


async def _send(
    channel: socket.socket, data: bytes | memoryview, waiting: Waiting, until: float
) -> None:
    left = memoryview(data)
    while left:
        try:
            left = left[channel.send(left) :]
        except BlockingIOError:
            await waiting.writable(channel, until)


def _ready(seconds: float, *descriptors: int) -> set[int]:
    """Wait until one of them is readable; unlike select, this takes descriptors of any number."""
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in waiting.poll(seconds * 1000)}


def _status(response: HttpMessage) -> int:
    return int(response.line.split(" ")[1])


def _size(log: Path) -> int:
    try:
        return log.stat().st_size
    except FileNotFoundError:
        return 0


def _last_line(log: Path, start: int) -> str:
    """Quote the last line that was written to a log after its first `start` bytes."""
    written = log.read_bytes()[start:] if log.exists() else b""
    lines = written.decode(errors="replace").strip().splitlines()
    return f": {lines[-1].strip()}" if lines else ""
