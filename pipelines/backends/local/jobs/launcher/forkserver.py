"""The process that launchers are forked off: it has already imported what they and the job need.

Interpreter starts and imports are most of what a short job costs; they are paid once, ahead. The
other end of the socket belongs to the tool: when the tool exits, however it does, this process
exits too, and the kernel signals the launchers.
"""

from __future__ import annotations

import errno
import gc
import os
import select
import signal
import socket
import struct
from contextlib import suppress
from typing import Final, NoReturn

from pipelines.backends.local.jobs.launcher import host, processes

SIZE = struct.Struct("!q")
"""What precedes an order; the reply, a process id or a negative errno, has the same form."""


_QUIET: Final = 0.02
"""Seconds without an order after which a launcher is forked for the next one."""


def serve(descriptor: int) -> NoReturn:
    """Fork a launcher for every order until the tool has exited; the process ends here."""
    signal.pthread_sigmask(signal.SIG_BLOCK, processes.WATCHED)  # for a launcher's first moment
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, there would be nothing to reap
    gc.freeze()  # a collection in a fork would copy the pages of all that is imported
    server = os.getpid()
    spare: _Spare | None = None
    with socket.socket(fileno=descriptor) as tool, suppress(ConnectionError):
        while True:
            if spare is None and not select.select([tool], [], [], _QUIET)[0]:
                spare = _spare(tool, server)
            received = _received(tool)
            if received is None:
                break
            order, answer = received
            _reap_ended()
            launcher = spare.take(order, answer) if spare is not None else 0
            spare = None
            launcher = launcher or _fork()
            if launcher == 0:
                tool.close()
                host.launch(order, answer, server)
            os.close(answer)
            tool.sendall(SIZE.pack(launcher))
    if spare is not None:
        spare.dismiss()
    _reap_ended()
    os._exit(0)  # the tool waits for this, and an interpreter's own exit takes longer


class _Spare:
    """A launcher that waits for its order.

    Args:
        process: its process id.
        orders: the socket that it gets the order from, as this process gets it from the tool; it
            exits when that is closed, as it is when this process is killed.
    """

    def __init__(self, process: int, orders: socket.socket) -> None:
        self._process = process
        self._orders = orders

    def take(self, order: bytes, answer: int) -> int:
        """Hand the order over; return the process id, 0 if it has been killed."""
        with self._orders as orders:
            try:
                socket.send_fds(orders, [SIZE.pack(len(order))], [answer])
                orders.sendall(order)
            except OSError:
                return 0
        return self._process

    def dismiss(self) -> None:
        """Let it exit, and reap it."""
        self._orders.close()
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _spare(tool: socket.socket, server: int) -> _Spare | None:
    """Fork a launcher ahead of its order; None when this machine cannot start another process.

    A fork, and what its first moments copy, takes as long as the rest of a launcher's start.
    """
    ours, theirs = socket.socketpair()
    process = _fork()
    if process == 0:
        tool.close()
        ours.close()
        received = _received(theirs)
        theirs.close()
        if received is None:
            os._exit(0)
        host.launch(*received, server)
    theirs.close()
    if process < 0:
        ours.close()
        return None
    return _Spare(process, ours)


def _received(source: socket.socket) -> tuple[bytes, int] | None:
    """Receive the JSON for `host.launch` and the pipe for its result; None at the end.

    The size comes first, together with the pipe; then the JSON.
    """
    head, pipes, _, _ = socket.recv_fds(source, SIZE.size, 1)
    if not head:
        return None
    (answer,) = pipes
    os.set_inheritable(answer, False)  # noqa: FBT003 - positional only
    size = SIZE.unpack(head)[0]
    order = _receive(source, size)
    return None if len(order) < size else (order, answer)


def _fork() -> int:
    """Fork; return a negative errno when this machine cannot start another process."""
    try:
        return os.fork()
    except OSError as error:
        return -(error.errno or errno.EAGAIN)


def _receive(tool: socket.socket, size: int) -> bytes:
    pieces = bytearray()
    while len(pieces) < size and (piece := tool.recv(size - len(pieces))):
        pieces += piece
    return bytes(pieces)


def _reap_ended() -> None:
    """Reap launchers that have ended: until then their process ids are not reused.

    Those that are left go to process 1, which in a container may be a program that reaps nothing.
    """
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
