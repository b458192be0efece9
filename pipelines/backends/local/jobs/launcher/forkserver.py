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


_AHEAD: Final = 2
"""How many launchers are forked ahead: two steps, or two trials, often start at the same time."""

_QUIET: Final = 0.02
"""Seconds without an order after which one is."""


def serve(descriptor: int) -> NoReturn:
    """Fork a launcher for every order until the tool has exited; the process ends here."""
    signal.pthread_sigmask(signal.SIG_BLOCK, processes.WATCHED)  # for a launcher's first moment
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, there would be nothing to reap
    gc.freeze()  # a collection in a fork would copy the pages of all that is imported
    server = os.getpid()
    spares: list[_Spare] = []
    with socket.socket(fileno=descriptor) as tool, suppress(ConnectionError):
        while True:
            while len(spares) < _AHEAD and not select.select([tool], [], [], _QUIET)[0]:
                if not _fork_ahead(spares, tool, server):
                    break
            received = _received(tool)
            if received is None:
                break
            order, answer = received
            _reap_ended()
            launcher = 0
            while spares and not launcher:
                launcher = spares.pop().take(order, answer)
            launcher = launcher or _fork()
            if launcher == 0:
                tool.close()
                host.launch(order, answer, server)
            os.close(answer)
            tool.sendall(SIZE.pack(launcher))
    for spare in spares:
        spare.dismiss()
    _reap_ended()
    os._exit(0)  # the tool waits for this, and an interpreter's own exit takes longer


class _Spare:
    """A launcher that waits for its order.

    Args:
        process: its process id.

    Attributes:
        orders: the socket that it gets the order from, as this process gets it from the tool; it
            exits when that is closed, as it is when this process is killed.
    """

    def __init__(self, process: int, orders: socket.socket) -> None:
        self._process = process
        self.orders = orders

    def take(self, order: bytes, answer: int) -> int:
        """Hand the order over; return the process id, 0 if it has been killed."""
        with self.orders as orders:
            try:
                socket.send_fds(orders, [SIZE.pack(len(order))], [answer])
                orders.sendall(order)
            except OSError:
                return 0
        return self._process

    def dismiss(self) -> None:
        """Let it exit, and reap it."""
        self.orders.close()
        with suppress(ChildProcessError):
            os.waitpid(self._process, 0)


def _fork_ahead(spares: list[_Spare], tool: socket.socket, server: int) -> bool:
    """Fork a launcher ahead of its order; False when this machine cannot start another process.

    A fork, and what its first moments copy, takes as long as the rest of a launcher's start.
    """
    ours, theirs = socket.socketpair()
    process = _fork()
    if process == 0:
        for inherited in (tool, ours, *(spare.orders for spare in spares)):
            inherited.close()
        received = _received(theirs)
        theirs.close()
        if received is None:
            os._exit(0)
        host.launch(*received, server)
    theirs.close()
    if process < 0:
        ours.close()
        return False
    spares.append(_Spare(process, ours))
    return True


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
