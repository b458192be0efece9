"""How the HTTP API waits: its event loop serves others meanwhile.

Apart from `waiting.py`, which runs import without an event loop.
"""

from __future__ import annotations

import asyncio
import math
import socket
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from pipelines.backends.local.waiting import Signal

ResultT = TypeVar("ResultT")

_RESOLUTION_SECONDS = 0.001
"""Of uvloop's timers."""

_MOST_UNREAD = 20
"""So many turns of the loop may pass before somebody reads what has arrived."""


class LoopWaiting:
    """Leaves the event loop to others.

    Args:
        pool: the threads for what may block.
    """

    def __init__(self, pool: Executor) -> None:
        self._pool = pool
        self._started: set[asyncio.Task[None]] = set()
        self._readers: dict[socket.socket, _LoopReader] = {}
        self._deadlines: _Deadlines | None = None

    def close(self) -> None:
        """Forget all channels; the loop has ended."""
        for reader in self._readers.values():
            reader.channel.close()
        self._readers.clear()

    def signal(self) -> Signal:
        """Return a signal that the loop is told of."""
        return self._signal()

    def _signal(self) -> _LoopSignal:
        if self._deadlines is None:
            self._deadlines = _Deadlines()
        return _LoopSignal(self._deadlines)

    async def call(self, function: Callable[[], ResultT]) -> ResultT:
        """Call a function in a thread; who is cancelled meanwhile is so at its next suspension.

        The thread goes on in any case, and what it returns may have to be cleared up.
        """
        called = asyncio.get_running_loop().run_in_executor(self._pool, function)
        cancelled = False
        while not called.done():
            try:
                await asyncio.wait([called])
            except asyncio.CancelledError:
                cancelled = True
        if cancelled and (task := asyncio.current_task()):
            task.cancel()
        return called.result()

    async def readable(self, channel: socket.socket, until: float) -> None:
        """Wait until there is something to read."""
        reader = self._readers.get(channel)
        if reader is None:
            self._forget_closed()
            forget = partial(self._readers.pop, channel)
            reader = self._readers[channel] = _LoopReader(channel.dup(), forget)
        await reader.wait(self._signal(), until)

    def _forget_closed(self) -> None:
        """End readers whose channels were closed: uvloop is silent after an error on a channel."""
        for channel, reader in [*self._readers.items()]:
            if channel.fileno() < 0:
                reader.end()

    async def writable(self, channel: socket.socket, until: float) -> None:
        """Wait until something can be written."""
        loop, descriptor = asyncio.get_running_loop(), channel.fileno()
        signal = self._signal()
        loop.add_writer(descriptor, signal.set)
        try:
            await signal.require(until)
        finally:
            loop.remove_writer(descriptor)

    def start(self, coroutine: Coroutine[Any, Any, None]) -> None:
        """Run a coroutine as a task."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._started.add(task)
        task.add_done_callback(self._started.discard)


class _Deadlines:
    """Ends waits in time, with one timer for all of them: most end long before."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ends: dict[_LoopSignal, float] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._next = math.inf

    def add(self, signal: _LoopSignal, seconds: float) -> None:
        """Let a signal expire after some seconds."""
        end = self._ends[signal] = self._loop.time() + max(0.0, seconds)
        if end < self._next:
            self._arm(end)

    def remove(self, signal: _LoopSignal) -> None:
        """Forget a signal."""
        del self._ends[signal]

    def _arm(self, end: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._next, self._timer = end, self._loop.call_at(end, self._expire)

    def _expire(self) -> None:
        self._next, self._timer = math.inf, None
        now = self._loop.time() + _RESOLUTION_SECONDS
        for signal, end in self._ends.items():
            if end <= now:
                signal.expire()
        later = min((end for end in self._ends.values() if end > now), default=None)
        if later is not None:
            self._arm(later)


class _LoopSignal:
    def __init__(self, deadlines: _Deadlines) -> None:
        self._deadlines = deadlines
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._happened: asyncio.Future[bool] = self._loop.create_future()

    def set(self) -> None:
        if threading.get_ident() == self._thread:
            self._end(happened=True)
        else:
            with suppress(RuntimeError):  # the loop is closed, and nobody waits
                self._loop.call_soon_threadsafe(self._end)

    async def wait(self, seconds: float) -> bool:
        if self._happened.done():
            return self._happened.result()
        self._deadlines.add(self, seconds)
        try:
            return await self._happened
        finally:
            self._deadlines.remove(self)

    async def require(self, until: float) -> None:
        if not await self.wait(until - time.monotonic()):
            raise TimeoutError

    def _end(self, *, happened: bool = True) -> None:
        if not self._happened.done():
            self._happened.set_result(happened)

    def expire(self) -> None:
        """Let it be too late."""
        self._end(happened=False)


class _LoopReader:
    """Watches a channel until it ends, or somebody else reads from it.

    Args:
        channel: a copy of the channel, which others may close meanwhile.
        forget: is called at the end.
    """

    def __init__(self, channel: socket.socket, forget: Callable[[], object]) -> None:
        self.channel = channel
        self._forget = forget
        self._loop = asyncio.get_running_loop()
        self._signal: _LoopSignal | None = None
        self._unread = 0
        self._loop.add_reader(channel.fileno(), self._arrived)

    async def wait(self, signal: _LoopSignal, until: float) -> None:
        """Wait until there is something to read."""
        self._signal, self._unread = signal, 0
        try:
            await signal.require(until)
        finally:
            self._signal = None

    def _arrived(self) -> None:
        if self._signal is not None:
            self._signal.set()
            return
        self._unread += 1  # the loop asks again in its next turn, and soon somebody waits for it
        if self._unread >= _MOST_UNREAD:
            self.end()

    def end(self) -> None:
        """Watch no longer."""
        self._loop.remove_reader(self.channel.fileno())
        self.channel.close()
        self._forget()
