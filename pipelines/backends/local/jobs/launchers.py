"""Launchers, one for each host of a job: forked off a process that is started ahead of them.

That process (`launcher/forkserver.py`) needs an interpreter start and many imports, which take
longer than a short job; done once and ahead, nobody waits for them.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject

_SIZE = struct.Struct("!q")
_ROOT = Path(__file__).parents[4]
_BOOT = f"""\
import sys
sys.path.insert(0, {str(_ROOT)!r})
import pipelines
del sys.path[0]  # what else lies there must not stand before the standard library
from pipelines.backends.local.jobs.launcher.forkserver import serve
serve(int(sys.argv[1]))
"""
_STARTING = threading.Lock()


class Launcher:
    """A launcher that has its order.

    Args:
        process: its process id.
        answers: the pipe that it answers on; at its end when the launcher has gone.
    """

    def __init__(self, process: int, answers: int) -> None:
        self.process = process
        self.answers = answers
        self._said = bytearray()

    def hear(self) -> bool:
        """Take what it says, waiting for it; False when it has gone."""
        piece = os.read(self.answers, 4096)
        self._said += piece
        return bool(piece)

    def end(self) -> tuple[str, str]:
        """Wait for its last word: `exit`, `signal`, `exec`, `setup` or `lost`, and what follows."""
        while self.hear():
            pass
        said = (line for line in self._said.decode(errors="replace").splitlines())
        kind, _, rest = next((line for line in said if line != "ready"), "lost").partition(" ")
        return kind, rest

    def wait(self, seconds: float) -> bool:
        """Wait until it has gone; False when it has not by then."""
        until = time.monotonic() + seconds
        answers = select.poll()
        answers.register(self.answers, select.POLLIN)
        while answers.poll(max(0.0, until - time.monotonic()) * 1000):
            if not self.hear():
                return True
        return False

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; nothing where it has gone."""
        if self.wait(0):
            return
        try:
            os.kill(self.process, number)
        except ProcessLookupError:
            return  # it has gone this moment, and another order had it reaped

    def close(self) -> None:
        """Let go of the pipe."""
        os.close(self.answers)


def prepare() -> None:
    """Start the fork server now, for a job that will come."""
    _server()


def launch(order: JsonObject) -> Launcher:
    """Give an order to a new launcher: see `launcher/host.py`.

    Raises:
        OSError: this machine has no process to spare.
    """
    reader, writer = os.pipe()
    try:
        process = _server().fork(json.dumps(order).encode(), writer)
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return Launcher(process, reader)


class _Server:
    """The fork server of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._leave)

    def fork(self, order: bytes, answer: int) -> int:
        """Have a launcher forked; give its process id."""
        with self._lock:
            try:
                process = self._ask(order, answer)
            except OSError:  # somebody has killed it, and its launchers with it
                self._restart()
                process = self._ask(order, answer)
            except BaseException:  # in the midst of it: the next answer would be taken for another
                self._restart()
                raise
        if process < 0:
            raise OSError(-process, os.strerror(-process), "fork")
        return process

    def _ask(self, order: bytes, answer: int) -> int:
        socket.send_fds(self._socket, [_SIZE.pack(len(order))], [answer])
        self._socket.sendall(order)
        reply = self._socket.recv(_SIZE.size, socket.MSG_WAITALL)
        if len(reply) < _SIZE.size:
            raise ConnectionResetError
        process: int = _SIZE.unpack(reply)[0]
        return process

    def _restart(self) -> None:
        self._close()
        self._start()

    def _start(self) -> None:
        self._socket, theirs = socket.socketpair()
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON")}
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-c", _BOOT, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env=environment,
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )

    def _close(self) -> None:
        self._socket.close()
        self._process.wait()

    def _leave(self) -> None:
        """Close at the end of this process, which Ctrl-C need not wait for."""
        with suppress(KeyboardInterrupt):
            self._close()

    def _forget(self) -> None:
        """Let go of the socket in a forked child, which would keep the server when this ends."""
        self._socket.close()


def _server() -> _Server:
    """Give the server of this process; a forked child makes its own."""
    with _STARTING:
        return _server_of(os.getpid())


@functools.cache
def _server_of(_process: int) -> _Server:
    return _Server()
