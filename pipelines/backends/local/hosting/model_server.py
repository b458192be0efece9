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

from pipelines.backends.local.hosting.channel import (
    Channel,
    ChannelEndedError,
    Sent,
    WrongResponseError,
)
from pipelines.backends.local.hosting.values import (
    FleetError,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.hosting.worker.http import HttpMessage
from pipelines.backends.local.jobs.launcher.client import Launcher
from pipelines.backends.local.waiting import BLOCKING, Waiting, in_this_thread

START_SECONDS = 180.0
"""How long a container may take until it responds to `/ping`: the limit of a serverless one."""

_TERM_SECONDS = 10.0
_MOST_REQUESTS = 3
"""Of one process at once: that which it processes, and those behind it."""

_HEADERS = "x-amzn-sagemaker-"
_OK = 200


class ModelServer:
    """A process that has loaded a model: it processes one request at a time.

    The next ones can be handed over meanwhile: then the process need not be woken for them.

    Args:
        launcher: the launcher of the process.
        log: the file that the process writes to.

    Attributes:
        failure: why it cannot be used any more: it has ended, or sent what is no response.
        start_seconds: how long it took until it responded to `/ping`.
        idle_since: the monotonic clock when its last request ended.
    """

    def __init__(self, launcher: Launcher, log: Path) -> None:
        self._launcher = launcher
        self._log = log
        self._log_start = _size(log)
        self._channel: Channel | None = None
        self._is_ready = False
        self.failure: FleetError | None = None
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

    @property
    def load(self) -> int:
        """Return how many requests it has."""
        return self._channel.load if self._channel is not None else 0

    @property
    def owed(self) -> Sent | None:
        """Return the next request that it has and that somebody wants a response to."""
        return self._channel.owed if self._channel is not None else None

    @property
    def is_wasted(self) -> bool:
        """Return whether it has begun requests whose responses nobody wants."""
        return self._channel is not None and self._channel.is_wasted

    def is_alive(self) -> bool:
        """Return whether it can be used: an idle connection is readable only at its end.

        One that has a request may have answered it.
        """
        channel = self._channel
        if channel is None or self.failure is not None:
            return False
        if channel.owed is not None:
            return True
        return not channel.is_wasted and not _ready(0, channel.fileno())

    def hand_over(self, invocation: Invocation) -> Sent | None:
        """Send a request while an earlier one is processed, if that can be done at once.

        Returns:
            What was sent: `answer` has to follow, in the same order, or `take_back`.
        """
        channel = self._channel if self._is_ready else None
        if channel is None or not channel.has_room(invocation, _MOST_REQUESTS):
            return None
        sent = channel.numbered(invocation, _size(self._log))
        return sent if channel.hand_over(sent) else None

    def prepare(self, invocation: Invocation | None) -> Sent:
        """Return a request that has not been handed over, for `answer`; None is `/ping`.

        Raises:
            FleetError: the server has not been started.
        """
        if self._channel is None:
            raise FleetError("the model server has no connection")
        return self._channel.numbered(invocation, _size(self._log))

    def take_back(self, sent: Sent) -> bool:
        """Have the process not begin a request that was handed over; False where it has."""
        return self._channel is not None and self._channel.take_back(sent)

    async def answer(self, sent: Sent, waiting: Waiting, seconds: float) -> InvocationResponse:
        """Send a request, or go on with one that was handed over; it may take so many seconds.

        Raises:
            FleetError: there was no response; the server cannot be used again.
        """
        until = time.monotonic() + seconds
        self._log_start = sent.log_start
        try:
            return _response(await self._exchange(sent, waiting, until))
        except TimeoutError:
            raise FleetError(f"the model did not respond within {seconds:.0f} seconds") from None
        except WrongResponseError:
            reason = "the model server sent what is no response to this request"
            self.failure = FleetError(reason)
        except ChannelEndedError:
            reason = f"{await waiting.call(self._ended)} while it processed a request"
            self.failure = FleetError(reason)
        raise FleetError(reason)

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
                self._channel = Channel(listener.accept()[0])
                return
            if not self._launcher.read():
                raise FleetError(self._ended())

    def _ping(self, deadline: float) -> None:
        try:
            ping = self._exchange(self.prepare(None), BLOCKING, deadline)
            response = _response(in_this_thread(ping))
        except TimeoutError:
            raise FleetError(f"the model did not load within {START_SECONDS:.0f} seconds") from None
        except WrongResponseError:
            raise FleetError("the model server sent what is no response to /ping") from None
        except ChannelEndedError:
            raise FleetError(f"{self._ended()} while it loaded the model") from None
        if response.status != _OK:
            said = response.body.decode()
            raise FleetError(f"the model does not load: {said}; its log is {self._log}")

    async def _exchange(self, sent: Sent, waiting: Waiting, until: float) -> HttpMessage:
        if self._channel is None:
            raise ChannelEndedError
        return await self._channel.exchange(sent, waiting, until)

    def _ended(self) -> str:
        """Describe how the process ended, from its launcher's result; have it end if it does not.

        Threads of the user's code can keep a process that serves nobody any more.
        """
        if not self._launcher.wait(_TERM_SECONDS):
            self.interrupt()
            return "the model server closed its connection"
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


def _response(message: HttpMessage) -> InvocationResponse:
    """Read the response of the process.

    Raises:
        WrongResponseError: it is none.
    """
    headers = message.headers
    kept = {name: value for name, value in headers.items() if name.startswith(_HEADERS)}
    try:
        status, content_type = int(message.line.split(" ")[1]), headers["content-type"]
    except (IndexError, KeyError, ValueError):
        raise WrongResponseError from None
    return InvocationResponse(status, message.body, content_type, kept)


def _ready(seconds: float, *descriptors: int) -> set[int]:
    """Wait until one of them is readable; unlike select, this takes descriptors of any number."""
    waiting = select.poll()
    for descriptor in descriptors:
        waiting.register(descriptor, select.POLLIN)
    return {descriptor for descriptor, _ in waiting.poll(seconds * 1000)}


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
