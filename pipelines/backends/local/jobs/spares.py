"""Launchers that are started before they are needed, one ahead of the jobs.

An interpreter start and its imports take longer than a short job; done ahead, nobody waits for
them. All launchers of a process are started by one thread that lives as long as the process: the
kernel tells a launcher of the death of its parent *thread*, and a worker's thread ends with a job.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import queue
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject

# Imported, not run as a file: a module's bytecode is kept, a script is compiled for every job.
_BOOT = "import sys; sys.path.append({!r}); import launcher; launcher.main(sys.argv[1:])"


@frozen
class Launcher:
    """A launcher that waits for its order; `answers` is the pipe that it answers on."""

    process: subprocess.Popen[bytes]
    answers: int

    def start(self, order: JsonObject) -> bool:
        """Give the order; False when the launcher has died before."""
        stdin = self.process.stdin
        if stdin is None:
            return False
        try:
            stdin.write(json.dumps(order).encode())
            stdin.close()
        except BrokenPipeError:
            self.close()
            return False
        return True

    def close(self) -> None:
        """Let a launcher go that got no order."""
        self.process.kill()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.process.wait()
        os.close(self.answers)


def prepare() -> None:
    """Start the first launcher now, for a job that will come."""
    _spares(os.getpid())


def take(order: JsonObject) -> Launcher:
    """Give an order to a waiting launcher; the next one is started behind it."""
    while True:
        launcher = _spares(os.getpid()).take(order)
        if launcher is not None:
            return launcher


def spawn() -> Launcher:
    """Start a launcher."""
    reader, writer = os.pipe()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
    boot = _BOOT.format(str(Path(__file__).parent))
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", boot, str(writer), str(os.getpid())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
            pass_fds=(writer,),
        )
    finally:
        os.close(writer)
    return Launcher(process, reader)


class _Spares:
    """One launcher ahead, started by a thread of their own."""

    def __init__(self) -> None:
        self._wanted: queue.SimpleQueue[bool] = queue.SimpleQueue()
        self._ready: queue.SimpleQueue[Launcher | OSError] = queue.SimpleQueue()
        self._wanted.put(True)  # noqa: FBT003 - a token
        threading.Thread(target=self._spawn, name="spare-launchers", daemon=True).start()
        atexit.register(self._close)

    def take(self, order: JsonObject) -> Launcher | None:
        """Give the order to the launcher ahead; None when that has died."""
        launcher = self._ready.get()
        try:
            if isinstance(launcher, OSError):
                raise launcher
            return launcher if launcher.start(order) else None
        finally:
            self._wanted.put(True)  # noqa: FBT003 - a token

    def _spawn(self) -> None:
        while self._wanted.get():
            try:
                self._ready.put(spawn())
            except OSError as error:
                self._ready.put(error)

    def _close(self) -> None:
        self._wanted.put(False)  # noqa: FBT003 - no more
        while not self._ready.empty():
            launcher = self._ready.get()
            if isinstance(launcher, Launcher):
                launcher.close()


@functools.cache
def _spares(_process: int) -> _Spares:
    """Hold the launchers of this process; a forked child makes its own."""
    return _Spares()
