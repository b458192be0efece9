"""The model servers of one production variant: the one place that starts an endpoint's processes.

`Fleet` decides how many servers run; `_start_server` starts one, by a single call of the launcher.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Self

from pipelines.backends.local.hosting.container import PreparedContainer, prepare_container
from pipelines.backends.local.hosting.model_server import ModelServer
from pipelines.backends.local.hosting.turns import Turn, Turns
from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetSpec,
    FleetStoppedError,
    Invocation,
    InvocationResponse,
    NotBegunError,
)
from pipelines.backends.local.jobs.launcher import client
from pipelines.backends.local.jobs.spec import HostCommand
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.settings import LocalSettings
from pipelines.backends.local.waiting import BLOCKING, Signal, Waiting, in_this_thread

_POLL_SECONDS = 0.2


class Fleet:
    """Model servers behind one interface; every method may be called from any thread.

    All servers of a real-time fleet run. A serverless fleet starts a server when a request finds
    none idle, and stops servers that were idle for `idle_seconds`.
    """

    def __init__(self, spec: FleetSpec, container: PreparedContainer, folders: ExitStack) -> None:
        self.spec = spec
        self.stub = container.stub
        self._container = container
        self._folders = folders
        self._changed = threading.Condition()
        self._idle: list[ModelServer] = []
        self._turns = Turns()
        self._busy = 0
        self._used: set[ModelServer] = set()
        self._stopped = False
        self._stopping = False
        self._interrupted = False
        self._over = False
        self._ended = threading.Event()

    @classmethod
    def start(
        cls,
        spec: FleetSpec,
        settings: LocalSettings,
        objects: ObjectStore,
        *,
        proven: bool = False,
        unwanted: Callable[[], bool] = lambda: False,
    ) -> Self:
        """Start a fleet and wait until its servers respond to `/ping`.

        Args:
            spec: what it serves.
            settings: how this machine stands in for SageMaker.
            objects: where the model is.
            proven: the model is known to load: a serverless fleet starts no server yet.
            unwanted: asked while a model loads; True ends it.

        Raises:
            FleetError: the model does not load, or was not allowed to.
        """
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as folders:
            container = folders.enter_context(prepare_container(spec, settings, objects))
            if container.stub:
                with spec.log.open("a", encoding="utf-8") as log:
                    log.write(f"{spec.name} is a stub: {container.stub}\n")
            fleet = cls(spec, container, folders)
            count = int(not proven) if spec.serverless else spec.workers
            fleet._start_servers(count, unwanted)
            fleet._folders = folders.pop_all()
        if spec.serverless:
            threading.Thread(target=fleet._stop_idle, name="idle-servers", daemon=True).start()
        return fleet

    def invoke(self, invocation: Invocation) -> InvocationResponse:
        """Process a request as `answer` does, in the calling thread."""
        return in_this_thread(self.answer(invocation, BLOCKING))

    async def answer(self, invocation: Invocation, waiting: Waiting) -> InvocationResponse:
        """Process a request; a status of 400 or more is the container's own.

        Raises:
            FleetBusy: a serverless fleet is processing as many requests as it may, or no server
                of a real-time one became free in time.
            FleetError: the model did not respond.
            FleetStoppedError: the fleet was stopped.
        """
        try:
            return await self._process(await self._take(invocation, waiting), waiting)
        except NotBegunError:
            return await self._process(await self._take(invocation, waiting), waiting)

    async def _process(self, turn: Turn, waiting: Waiting) -> InvocationResponse:
        """Process a request whose turn it is.

        Raises:
            NotBegunError: its server has ended before it began.
            FleetError: the model did not respond.
        """
        server, cold_start = turn.server, None
        try:
            for dead in turn.dead:
                await waiting.call(dead.stop)
            if server is None:
                server = await waiting.call(self._start_server)
                cold_start = server.start_seconds
            self._use(server)
            try:
                sent = turn.request(server)
                response = await server.answer(sent, waiting, self.spec.invocation_seconds)
            finally:
                self._used.discard(server)
        except FleetError as error:
            self._check_begun(turn, server, error)
            raise
        finally:
            await self._give_back(server, waiting)
        if cold_start is None:
            return response
        return replace(response, cold_start_seconds=cold_start)

    def _check_begun(self, turn: Turn, server: ModelServer | None, error: FleetError) -> None:
        """Tell a request that was begun from one that another server can process."""
        if server is None or server.failure is None or turn.sent is None:
            return
        with self._changed:
            if server.take_back(turn.sent):
                raise NotBegunError(error.reason) from None

    def interrupt(self) -> None:
        """End the servers that load a model or process a request: that fails."""
        with self._changed:
            self._stopped = self._interrupted = True
            for server in tuple(self._used):
                server.interrupt()

    def stop(self) -> None:
        """Let running requests finish, then end every process; may be called again."""
        with self._changed:
            first, self._stopped, self._stopping = not self._stopping, True, True
            self._changed.notify_all()
            left = 1 + self._turns.turn_away()
            self._changed.wait_for(lambda: self._busy == 0, self.spec.invocation_seconds * left)
            servers, self._idle, self._over = self._idle, [], True
        if not first:
            self._ended.wait()
            return
        _stop_all(servers)
        self._folders.close()
        self._ended.set()

    @contextmanager
    def _in_use(self, server: ModelServer) -> Iterator[None]:
        """Let `interrupt` end a server meanwhile."""
        self._use(server)
        try:
            yield
        finally:
            with self._changed:
                self._used.discard(server)

    def _use(self, server: ModelServer) -> None:
        """Let `interrupt` end a server from now on, or end it where that was called before."""
        self._used.add(server)
        if self._interrupted:
            server.interrupt()

    def _start_servers(self, count: int, unwanted: Callable[[], bool]) -> None:
        if count == 0:
            return
        with ThreadPoolExecutor(count) as pool:
            started = [pool.submit(self._start_server) for _ in range(count)]
            while wait(started, _POLL_SECONDS).not_done:
                if unwanted():
                    self.interrupt()
        failed = [error for one in started if (error := one.exception())]
        self._idle = [one.result() for one in started if not one.exception()]
        now = time.monotonic()
        for server in self._idle:
            server.idle_since = now
        if failed:
            _stop_all(self._idle)
            raise failed[0]

    def _start_server(self) -> ModelServer:
        """Start the process of a server and wait until it responds to `/ping`.

        Raises:
            FleetError: the model does not load, or not in time, or no process can be started.
        """
        began, log = time.monotonic(), self.spec.log
        address = self._container.job.scratch / f"{os.urandom(4).hex()}.sock"
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(address))
            listener.listen(1)
            try:
                server = ModelServer(_launch(self._container, address, log), log)
                try:
                    with self._in_use(server):
                        server.connect(listener, began)
                except BaseException:
                    server.stop()
                    raise
            finally:
                address.unlink(missing_ok=True)  # a fleet that has ended has removed its folder
        server.start_seconds = time.monotonic() - began
        return server

    async def _take(self, invocation: Invocation, waiting: Waiting) -> Turn:
        """Wait for the turn of one more request; they come in the order of their arrival."""
        turn = Turn(invocation)
        with self._changed:
            if self._stopped:
                raise _stopped()
            if self._take_now(turn):
                return turn
            if self.spec.serverless:
                raise FleetBusy
            signal = turn.signal = waiting.signal()
            self._turns.add(turn, tuple(self._used))
        try:
            await self._wait(turn, signal, waiting)
        except BaseException:
            await self._leave(turn, waiting)
            raise
        if turn.failure is not None:
            raise turn.failure
        if not turn.is_given:
            raise _stopped()
        return turn

    async def _wait(self, turn: Turn, signal: Signal, waiting: Waiting) -> None:
        """Wait for a turn as long as a request may take; longer where a server has begun it.

        Raises:
            FleetBusy: no server became free in time.
        """
        while not await signal.wait(self.spec.invocation_seconds):
            with self._changed:
                if self._turns.withdraw(turn, begun=False):
                    raise FleetBusy
                if turn.is_over:
                    return
                signal = turn.signal = waiting.signal()

    async def _leave(self, turn: Turn, waiting: Waiting) -> None:
        """Give up a turn, whether it has come or not."""
        with self._changed:
            if self._turns.withdraw(turn) or not turn.is_given:
                return
            turn.forgo()
        await self._give_back(turn.server, waiting)

    def _take_now(self, turn: Turn) -> bool:
        """Give a request an idle server, or the place of one; False where all are busy."""
        while self._idle and turn.server is None:
            server = self._idle.pop()
            if server.is_alive():
                turn.take(server)
            else:
                turn.dead.append(server)
        if turn.server is None and self._busy >= self.spec.workers:
            return False
        self._busy += 1
        return True

    async def _give_back(self, server: ModelServer | None, waiting: Waiting) -> None:
        """Let the next request have a server, or its place where that is of no use any more."""
        with self._changed:
            is_kept = self._pass_on(server)
        if server is not None and not is_kept:
            await waiting.call(server.stop)

    def _pass_on(self, server: ModelServer | None) -> bool:
        """Let the next request have a server, or its place.

        Returns:
            Whether the server is kept: a fleet that has stopped waiting for it keeps none.
        """
        if server is not None:
            self._turns.settle(server)
        if self._stopped:
            self._turns.turn_away()
        usable = server if server is not None and server.is_alive() else None
        if self._turns.give(usable):
            return usable is not None
        self._busy -= 1
        is_kept = usable is not None and not self._over
        if usable is not None and is_kept:
            usable.idle_since = time.monotonic()
            self._idle.append(usable)
        self._changed.notify_all()
        return is_kept

    def _stop_idle(self) -> None:
        """Stop servers that were idle for long enough, until the fleet is stopped."""
        while True:
            with self._changed:
                if self._stopped:
                    return
                limit = time.monotonic() - self.spec.idle_seconds
                due = [server for server in self._idle if server.idle_since <= limit]
                self._idle = [server for server in self._idle if server not in due]
                if not due:
                    first = min((one.idle_since for one in self._idle), default=None)
                    self._changed.wait(None if first is None else max(0.01, first - limit))
            _stop_all(due)


def _stopped() -> FleetStoppedError:
    return FleetStoppedError("the endpoint was updated or deleted")


def _launch(container: PreparedContainer, address: Path, log: Path) -> client.Launcher:
    words = (*container.words, str(address))
    command = HostCommand(container.host, words, container.environment, log)
    try:
        return client.start_host(container.job, command, container.network)
    except OSError as error:
        raise FleetError(f"the model server cannot be started: {error.strerror}") from error


def _stop_all(servers: list[ModelServer]) -> None:
    """Stop servers in parallel."""
    if servers:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(ModelServer.stop, servers))
