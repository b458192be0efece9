"""How those who invoke a model wait: a thread is blocked, an event loop serves others meanwhile.

What lies between a request and its response is written once, as coroutines that suspend only in
calls of `Waiting`. A thread runs them to their end with `in_this_thread`; the HTTP API awaits them
on its event loop (`api/loop_waiting.py`), where no request costs a switch of threads.
"""

from __future__ import annotations

import select
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, Concatenate, Final, ParamSpec, Protocol, TypeVar

ResultT = TypeVar("ResultT")
ParametersP = ParamSpec("ParametersP")


class Signal(Protocol):
    """Something that happens once."""

    def set(self) -> None:
        """Let it have happened; from any thread."""

    async def wait(self, seconds: float) -> bool:
        """Wait until it has; False when it did not in time."""


class Waiting(Protocol):
    """A way to wait."""

    def signal(self) -> Signal:
        """Return a signal that this caller can wait for."""

    async def call(self, function: Callable[[], ResultT]) -> ResultT:
        """Call a function that may block."""

    async def readable(self, channel: socket.socket, until: float) -> None:
        """Wait until there is something to read, or the other side has closed.

        Raises:
            TimeoutError: that was not so by the time `until`, of the monotonic clock.
        """

    async def writable(self, channel: socket.socket, until: float) -> None:
        """Wait as `readable` does, until something can be written."""

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine beside the caller, which does not wait for it.

        Raises:
            RuntimeError: this process can start no further thread.
        """


def blocking(
    function: Callable[ParametersP, ResultT],
) -> Callable[Concatenate[Waiting, ParametersP], Coroutine[Any, Any, ResultT]]:
    """Make a coroutine function of one that may block: it takes first how its caller waits."""

    async def wait_for(
        waiting: Waiting, /, *given: ParametersP.args, **named: ParametersP.kwargs
    ) -> ResultT:
        return await waiting.call(partial(function, *given, **named))

    return wait_for


def in_this_thread(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Run a coroutine that waits as `BLOCKING` does."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: ResultT = end.value
        return result
    coroutine.close()
    raise RuntimeError("a coroutine that was to block has suspended")


class _Blocking:
    """Blocks the calling thread."""

    def signal(self) -> Signal:
        return _ThreadSignal()

    async def call(self, function: Callable[[], ResultT]) -> ResultT:
        return function()

    async def readable(self, channel: socket.socket, until: float) -> None:
        _poll(channel, select.POLLIN, until)

    async def writable(self, channel: socket.socket, until: float) -> None:
        _poll(channel, select.POLLOUT, until)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        try:
            threading.Thread(target=in_this_thread, args=(coroutine,), daemon=True).start()
        except RuntimeError:
            coroutine.close()
            raise


BLOCKING: Final[Waiting] = _Blocking()


class _ThreadSignal:
    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    async def wait(self, seconds: float) -> bool:
        return self._event.wait(max(0.0, seconds))


def _poll(channel: socket.socket, event: int, until: float) -> None:
    """Wait for an event; unlike select, this takes descriptors of any number."""
    waiting = select.poll()
    waiting.register(channel.fileno(), event)
    if not waiting.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError
