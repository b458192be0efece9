"""Fleets in disorder: a response goes to its own request, and nothing is lost."""

from __future__ import annotations

import asyncio
import gc
import os
import random
import select
import signal
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from functools import partial
from itertools import count
from pathlib import Path

import pytest
import uvloop

from pipelines.backends.local.api.loop_waiting import LoopWaiting, _LoopSignal
from pipelines.backends.local.hosting.fleet import Fleet
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetStoppedError,
    Invocation,
)
from pipelines.backends.local.hosting.worker.http import (
    OFFER,
    HttpMessage,
    MessageReader,
    write_message,
)
from pipelines.backends.local.jobs.launcher import client
from pipelines.backends.local.jobs.spec import HostCommand
from tests.local.hosting.conftest import Serve

REQUESTS = 2000
CLIENTS = 12
SIZES = (0, 0, 0, 0, 20_000, 60_000, 300_000)
PIECE = 1 << 14


class _KilledError(Exception):
    """The server was killed."""


class Server(client.Launcher):
    """A model server in a thread, which returns bodies as they are, slowly and until it is killed.

    Args:
        address: of the fleet.
        dice: decide what it does.
        seen: counts what servers do at the same time.
    """

    def __init__(self, address: str, dice: random.Random, seen: Seen) -> None:
        answers, self._end = os.pipe()
        super().__init__(0, answers)
        self._killed, self._kill = os.pipe()
        self.is_killed = False
        self._dice = dice
        self._seen = seen
        self._guard = threading.Lock()
        self._channel = socket.socket(socket.AF_UNIX)
        self._channel.connect(address)
        threading.Thread(target=self._run, daemon=True).start()

    def send_signal(self, _number: signal.Signals) -> None:
        """Kill it, whatever the signal."""
        self.is_killed = True
        with self._guard, suppress(OSError):
            os.write(self._kill, b"x")

    def _run(self) -> None:
        self._seen.alive.add(self)
        with suppress(_KilledError, OSError), self._channel:
            (offers,) = socket.recv_fds(self._channel, 1, 1)[1]
            self._channel.settimeout(0)
            with socket.socket(fileno=offers) as self._offers:
                self._serve()
        with self._guard:
            os.close(self._kill)
            self._kill = -1
        os.close(self._killed)
        self._seen.alive.discard(self)
        os.write(self._end, b"signal 9\n")
        os.close(self._end)

    def _serve(self) -> None:
        reader = MessageReader()
        while (request := self._next(reader)) is not None:
            if request.line.startswith("GET"):
                self._send(_response(request, request.number))
                continue
            with self._seen.processing() as calm:
                is_wrong = not calm and self._dice.random() < 0.005
                response = _response(request, request.number + int(is_wrong))
                self._respond(response, calm=calm)

    def _next(self, reader: MessageReader) -> HttpMessage | None:
        """Read the next request that may be begun; None at the end."""
        offer = self._offer()
        while offer:
            while (request := reader.next()) is None:
                self._wait(select.POLLIN)
                piece = self._channel.recv(PIECE)
                if not piece:
                    return None
                reader.add(piece)
            if request.number == OFFER.unpack(offer)[0]:
                return request
        return None

    def _offer(self) -> bytes:
        """Read the next offer, which may have been taken back at the last moment."""
        while True:
            self._wait(select.POLLIN, of=self._offers)
            with suppress(BlockingIOError):
                return self._offers.recv(OFFER.size, socket.MSG_DONTWAIT)

    def _respond(self, response: bytes, *, calm: bool) -> None:
        """Send a response, or not all of it."""
        dies = not calm and self._dice.random() < 0.01
        self.is_killed |= dies
        if self._dice.random() < 0.3:
            self._wait(0, self._dice.random() * 0.004)
        self._send(response[: self._dice.randrange(len(response)) if dies else None])
        if dies:
            raise _KilledError

    def _send(self, response: bytes) -> None:
        left = memoryview(response)
        while left:
            self._wait(select.POLLOUT)
            left = left[self._channel.send(left[:PIECE]) :]

    def _wait(
        self, event: int, seconds: float | None = None, of: socket.socket | None = None
    ) -> None:
        """Wait until there is something to read, or room to write."""
        poll = select.poll()
        poll.register(self._killed, select.POLLIN)
        poll.register(of or self._channel, event)
        found = dict(poll.poll(None if seconds is None else seconds * 1000))
        if self._killed in found or (found and not event):
            raise _KilledError


def _response(request: HttpMessage, number: int) -> bytes:
    return write_message("HTTP/1.1 200 ", {"Content-Type": "x/x"}, request.body, number)


class Seen:
    """What servers do.

    Attributes:
        alive: those that run.
        most: how many have processed something at once.
        calm: so many process something at once in the end, and none of them ends.
    """

    def __init__(self) -> None:
        self.alive = set[Server]()
        self.most = 0
        self.calm: threading.Barrier | None = None
        self._now = 0
        self._guard = threading.Lock()

    @contextmanager
    def processing(self) -> Iterator[bool]:
        """Count a server that processes a request; return whether that is one of the end."""
        with self._guard:
            self._now += 1
            self.most = max(self.most, self._now)
        try:
            if self.calm is not None:
                self.calm.wait()
            yield self.calm is not None
        finally:
            with self._guard:
                self._now -= 1


class Impatient(LoopWaiting):
    """Some waits are over soon, as if their time were."""

    def __init__(self, pool: Executor, dice: random.Random) -> None:
        super().__init__(pool)
        self._dice = dice
        self.calm = False

    def _signal(self) -> _LoopSignal:
        signal = super()._signal()
        if not self.calm and self._dice.random() < 0.01:
            asyncio.get_running_loop().call_later(self._dice.random() * 0.01, signal.expire)
        return signal


class Clients:
    """Ask whichever fleet is current, as an endpoint does.

    Args:
        start: starts a fleet.
        waiting: how most of them wait; the others block a thread.
        dice: decide what they do.
    """

    def __init__(
        self, start: Callable[[], Fleet], waiting: LoopWaiting, dice: random.Random
    ) -> None:
        self.fleet = start()
        self._start = start
        self._waiting = waiting
        self._dice = dice
        self._numbers = count()
        self.outcomes: Counter[str] = Counter()

    async def ask(self) -> None:
        """Send one request, and compare its response."""
        size = self._dice.choice(SIZES)
        body = f"{next(self._numbers)} {'x' * size}".encode()
        invocation = Invocation(body, "x/x", "*/*")
        blocks = self._dice.random() < 0.1
        response = None
        while response is None:
            with suppress(FleetStoppedError):
                if blocks:
                    response = await asyncio.to_thread(self.fleet.invoke, invocation)
                else:
                    response = await self.fleet.answer(invocation, self._waiting)
            await asyncio.sleep(0)
        assert response.body == body, "it is the response to another request"

    async def ask_often(self) -> None:
        """Send one request after the other; give some of them up."""
        while self.outcomes.total() < REQUESTS:
            task = asyncio.create_task(self.ask())
            if self._dice.random() < 0.05:
                asyncio.get_running_loop().call_later(self._dice.random() * 0.005, task.cancel)
            try:
                await task
                self.outcomes["answered"] += 1
            except (FleetBusy, FleetError, asyncio.CancelledError) as error:
                self.outcomes[type(error).__name__] += 1

    async def disturb(self, seen: Seen) -> None:
        """Kill servers, and replace fleets, until all requests are done."""
        while self.outcomes.total() < REQUESTS:
            await asyncio.sleep(self._dice.random() * 0.05)
            if self._dice.random() < 0.3:
                before, self.fleet = self.fleet, await asyncio.to_thread(self._start)
                await asyncio.to_thread(before.stop)
            elif alive := [*seen.alive]:
                self._dice.choice(alive).send_signal(signal.SIGKILL)


def start_server(
    dice: random.Random, seen: Seen, _job: object, command: HostCommand, _network: str
) -> Server:
    """Start a server instead of a launcher."""
    return Server(command.words[-1], random.Random(dice.random()), seen)  # noqa: S311 - no secret


def descriptors() -> dict[str, str]:
    """Return what this process has open."""
    gc.collect()
    found = {}
    for one in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # that of the folder itself
            found[one.name] = str(one.readlink())
    return found


async def until(true: Callable[[], bool]) -> None:
    """Wait for something that happens in a thread."""
    while not true():  # noqa: ASYNC110 - a thread does it
        await asyncio.sleep(0.005)


@pytest.mark.one_way
@pytest.mark.parametrize("workers", [1, 3])
def test_in_any_disorder_a_response_goes_to_its_own_request_and_nothing_is_lost(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """Servers are killed or confuse requests, which are given up or too late, fleets are replaced.

    Afterwards as many requests are processed at once as before, and nothing is left open.
    """
    dice, seen = random.Random(workers), Seen()  # noqa: S311 - no secret
    monkeypatch.setattr(client, "start_host", partial(start_server, dice, seen))

    async def scenario(waiting: Impatient) -> None:
        start = partial(serve, "the server does without", workers=workers)
        clients = Clients(start, waiting, dice)
        disturbing = asyncio.create_task(clients.disturb(seen))
        await asyncio.gather(*(clients.ask_often() for _ in range(CLIENTS)))
        await disturbing
        waiting.calm = True
        await until(lambda: not any(server.is_killed for server in [*seen.alive]))
        seen.most, seen.calm = 0, threading.Barrier(workers)
        await asyncio.gather(*(clients.ask() for _ in range(workers * 4)))
        assert clients.outcomes["answered"] > REQUESTS / 2
        assert seen.most == workers == len(seen.alive)
        await asyncio.to_thread(clients.fleet.stop)
        assert waiting._deadlines is not None
        assert not waiting._deadlines._ends
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await until(lambda: not seen.alive)

    uvloop.new_event_loop().close()  # the first one opens what all others share
    before = descriptors()
    with (
        ThreadPoolExecutor(CLIENTS * 2) as pool,
        closing(Impatient(pool, dice)) as waiting,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        runner.run(scenario(waiting))
    assert descriptors() == before
