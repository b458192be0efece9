"""The servers of one production variant: as many as may answer at once, started as it is due."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from typing import Self

from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.model_server.container import Container, prepared
from pipelines.backends.local.model_server.server import INVOCATION_SECONDS, Server
from pipelines.backends.local.model_server.values import (
    Answer,
    Busy,
    FleetSpec,
    Invocation,
    StoppedError,
)
from pipelines.backends.local.objects import ObjectStore


class Fleet:
    """Model servers behind one door; every method may be called from any thread.

    A real-time fleet has all its servers up. A serverless one starts a server when a request
    finds none idle, and stops what was idle for `idle_seconds`.
    """

    def __init__(self, spec: FleetSpec, container: Container, folders: ExitStack) -> None:
        self.spec = spec
        self._container = container
        self._folders = folders
        self._changed = threading.Condition()
        self._idle: list[Server] = []
        self._busy = 0
        self._stopped = False
        self._ended = threading.Event()

    @classmethod
    def start(
        cls,
        spec: FleetSpec,
        settings: LocalSettings,
        objects: ObjectStore,
        *,
        proven: bool = False,
    ) -> Self:
        """Start a fleet and wait until its servers answer `/ping`.

        Args:
            spec: what it serves.
            settings: how this machine plays SageMaker.
            objects: where the model is.
            proven: the model is known to load: a serverless fleet starts nothing yet.

        Raises:
            FleetError: the model does not load.
        """
        spec.log.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as folders:
            container = folders.enter_context(prepared(spec, settings, objects))
            fleet = cls(spec, container, folders)
            fleet._start_servers(int(not proven) if spec.serverless else spec.workers)
            fleet._folders = folders.pop_all()
        if spec.serverless:
            threading.Thread(target=fleet._retire, name="idle-servers", daemon=True).start()
        return fleet

    def invoke(self, invocation: Invocation) -> Answer:
        """Answer a request; a status of 400 or more is the container's own.

        Raises:
            Busy: a serverless fleet answers as many as it may, or no server of a real-time one
                came free in time.
            FleetError: the model gave no answer.
            StoppedError: the fleet was stopped.
        """
        server = self._take()
        cold = None
        try:
            if server is None:
                server = Server.start(self._container, self.spec.log)
                cold = server.start_seconds
            answer = server.invoke(invocation)
        except BaseException:
            self._give_back(None)
            if server is not None:
                server.stop()
            raise
        self._give_back(server)
        return answer if cold is None else replace(answer, cold_start_seconds=cold)

    def stop(self) -> None:
        """Let the requests under way end, then end every process; calling it again is fine."""
        with self._changed:
            first, self._stopped = not self._stopped, True
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._busy == 0, INVOCATION_SECONDS)
            servers, self._idle = self._idle, []
        if not first:
            self._ended.wait()
            return
        _stop_all(servers)
        self._folders.close()
        self._ended.set()

    def _start_servers(self, count: int) -> None:
        if count == 0:
            return
        with ThreadPoolExecutor(count) as pool:
            begun = [
                pool.submit(Server.start, self._container, self.spec.log) for _ in range(count)
            ]
        failed = [error for one in begun if (error := one.exception())]
        self._idle = [one.result() for one in begun if not one.exception()]
        now = time.monotonic()
        for server in self._idle:
            server.idle_since = now
        if failed:
            _stop_all(self._idle)
            raise failed[0]

    def _take(self) -> Server | None:
        """Take an idle server; None says that one may be started instead."""
        with self._changed:
            deadline = time.monotonic() + INVOCATION_SECONDS
            while not self._stopped:
                while self._idle:
                    server = self._idle.pop()
                    if server.is_alive():
                        self._busy += 1
                        return server
                    server.stop()
                if self._busy < self.spec.workers:
                    self._busy += 1
                    return None
                if self.spec.serverless or not self._changed.wait(deadline - time.monotonic()):
                    raise Busy
            raise StoppedError("the endpoint was updated or deleted")

    def _give_back(self, server: Server | None) -> None:
        with self._changed:
            self._busy -= 1
            if server is not None:
                server.idle_since = time.monotonic()
                self._idle.append(server)
            self._changed.notify_all()

    def _retire(self) -> None:
        """Stop servers that were idle for long, until the fleet is stopped."""
        while True:
            with self._changed:
                if self._stopped:
                    return
                limit = time.monotonic() - self.spec.idle_seconds
                late = [server for server in self._idle if server.idle_since <= limit]
                self._idle = [server for server in self._idle if server not in late]
                if not late:
                    due = min((one.idle_since for one in self._idle), default=None)
                    self._changed.wait(None if due is None else max(0.01, due - limit))
            _stop_all(late)


def _stop_all(servers: list[Server]) -> None:
    """Stop servers side by side."""
    if servers:
        with ThreadPoolExecutor(len(servers)) as pool:
            list(pool.map(Server.stop, servers))
