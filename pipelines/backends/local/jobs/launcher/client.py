"""The tool's side of the launchers: start one for each host of a job, and read its result.

A launcher is forked off a fork server (`forkserver.py`), which is started ahead: an interpreter
start and many imports take longer than a short job; done once and ahead, no job waits for them.
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

from pipelines.backends.local.jobs.layers import layers_of

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.spec import HostCommand, LocalJob
    from pipelines.json_types import JsonObject

_SIZE = struct.Struct("!q")
_ROOT = Path(__file__).parents[5]
_IMPORTS = f"""\
import sys
sys.path.insert(0, {str(_ROOT)!r})
import pipelines
del sys.path[0]  # what else lies there must not precede the standard library
"""
_BOOT = f"""{_IMPORTS}
from pipelines.backends.local.jobs.launcher.forkserver import serve
serve(int(sys.argv[1]))
"""
_FOREGROUND = f"""{_IMPORTS}
from pipelines.backends.local.jobs.launcher.foreground import main
main()
"""
_NEEDED = ("PATH", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")
"""All that a fork server gets of the tool's environment: a job can read its parent's in /proc."""

_STARTING = threading.Lock()


class Launcher:
    """A launcher that is carrying out its order.

    Args:
        process: its process id.
        answers: the pipe that it writes its result to; it ends when the launcher has exited.
    """

    def __init__(self, process: int, answers: int) -> None:
        self.process = process
        self.answers = answers
        self._output = bytearray()

    def read(self) -> bool:
        """Read what it has written, waiting for it; False when the launcher has exited."""
        piece = os.read(self.answers, 4096)
        self._output += piece
        return bool(piece)

    def result(self) -> tuple[str, str]:
        """Wait for its result: `exit`, `signal`, `exec`, `setup` or `lost`, and what follows."""
        while self.read():
            pass
        lines = (line for line in self._output.decode(errors="replace").splitlines())
        kind, _, rest = next((line for line in lines if line != "ready"), "lost").partition(" ")
        return kind, rest

    def wait(self, seconds: float) -> bool:
        """Wait until it has exited; False when it has not by then."""
        until = time.monotonic() + seconds
        answers = select.poll()
        answers.register(self.answers, select.POLLIN)
        while answers.poll(max(0.0, until - time.monotonic()) * 1000):
            if not self.read():
                return True
        return False

    def send_signal(self, number: signal.Signals) -> None:
        """Send a signal; do nothing when it has exited."""
        if self.wait(0):
            return
        try:
            os.kill(self.process, number)
        except ProcessLookupError:
            return  # it exited just now, and another order had it reaped

    def close(self) -> None:
        """Close the pipe."""
        os.close(self.answers)


def start_fork_server() -> None:
    """Start the fork server now, ahead of the first job."""
    _fork_server()


def start_host(job: LocalJob, command: HostCommand, network: str = "shared") -> Launcher:
    """Start the launcher of one host, which isolates the host and starts its command.

    Args:
        job: the job.
        command: the host, and what it starts.
        network: `shared`; `own`; `lead` for one that other hosts join; or the process id of the
            launcher that leads.

    Raises:
        OSError: this machine cannot start another process.
    """
    order = _order(job, command, network)
    order["process"]["log"] = str(command.log)
    return _launch(order)


def run_at_terminal(job: LocalJob, command: HostCommand) -> int:
    """Run one host in this process's terminal; return its exit code, negative for a signal.

    Ctrl-C is the job's while it runs.
    """
    order = _order(job, command, "own" if job.network_isolated else "shared")
    interrupt = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        words = [sys.executable, "-P", "-c", _FOREGROUND, json.dumps(order)]
        with subprocess.Popen(words) as process:
            return process.wait()
    finally:
        signal.signal(signal.SIGINT, interrupt)


def _order(job: LocalJob, command: HostCommand, network: str) -> JsonObject:
    host = command.host
    cell = {
        "hostname": host.name,
        "folder": str(host.ml),
        "hosts": str(host.root / "hosts"),
        "network": network,
        "layers": layers_of(host.root),
    }
    process = {
        "folder": str(host.root / "work"),
        "environment": dict(command.environment),
    }
    words = list(command.words)
    return {"isolation": job.isolation, "host": cell, "process": process, "words": words}


def try_namespaces(folder: Path) -> tuple[str, str]:
    """Let a launcher isolate a host in namespaces, start nothing, and return its result.

    Args:
        folder: an empty folder, which becomes the host's /opt/ml.

    Raises:
        OSError: this machine cannot start another process.
    """
    hosts = folder / "hosts"
    hosts.touch()
    host = {"hostname": "algo-1", "folder": str(folder), "hosts": str(hosts), "network": "shared"}
    launcher = _launch({"isolation": "namespaces", "host": host, "process": None, "words": []})
    result = launcher.result()
    launcher.close()
    return result


def _launch(order: JsonObject) -> Launcher:
    """Send an order to a new launcher: see `host.py` for its members."""
    reader, writer = os.pipe()
    try:
        process = _fork_server().fork(json.dumps(order).encode(), writer)
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    return Launcher(process, reader)


class _ForkServer:
    """The fork server of this process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._start()
        os.register_at_fork(after_in_child=self._forget)
        atexit.register(self._leave)

    def fork(self, order: bytes, answer: int) -> int:
        """Have a launcher forked; return its process id."""
        with self._lock:
            try:
                process = self._ask(order, answer)
            except OSError:  # the server was killed, and its launchers with it
                self._restart()
                process = self._ask(order, answer)
            except BaseException:  # interrupted: the next reply would belong to this order
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
        environment = {name: os.environ[name] for name in _NEEDED if name in os.environ}
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
        """Close at exit; Ctrl-C does not have to wait for it."""
        with suppress(KeyboardInterrupt):
            self._close()

    def _forget(self) -> None:
        """Close the socket in a forked child, which would otherwise keep the server alive."""
        self._socket.close()


def _fork_server() -> _ForkServer:
    """Return the fork server of this process; a forked child starts its own."""
    with _STARTING:
        return _fork_server_of(os.getpid())


@functools.cache
def _fork_server_of(_process: int) -> _ForkServer:
    return _ForkServer()
