"""The process that launchers are forked off: it has already imported what they and the job need.

Interpreter starts and imports are most of what a short job costs; they are paid once, ahead. The
other end of the socket belongs to the tool: when the tool exits, however it does, this process
exits too, and the kernel signals the launchers.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from typing import NoReturn

from pipelines.backends.local.jobs.launcher import host, processes

SIZE = struct.Struct("!q")
"""What precedes an order; the reply, a process id or a negative errno, has the same form."""


def serve(descriptor: int) -> NoReturn:
    """Fork a launcher for every order until the tool has exited; the process ends here."""
    signal.pthread_sigmask(signal.SIG_BLOCK, processes.WATCHED)  # for a launcher's first moment
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # if ignored, there would be nothing to reap
    gc.freeze()  # a collection in a fork would copy the pages of all that is imported
    server = os.getpid()
    with socket.socket(fileno=descriptor) as tool, suppress(ConnectionError):
        for order, answer in _orders(tool):
            _reap_ended()
            launcher = _fork()
            if launcher == 0:
                tool.close()
                host.launch(order, answer, server)
            os.close(answer)
            tool.sendall(SIZE.pack(launcher))
    _reap_ended()
    os._exit(0)  # the tool waits for this, and an interpreter's own exit takes longer


def _orders(tool: socket.socket) -> Iterator[tuple[bytes, int]]:
    """Yield the JSON for `host.launch` and the pipe for its result, until the tool has exited.

    The size comes first, together with the pipe; then the JSON.
    """
    while True:
        head, pipes, _, _ = socket.recv_fds(tool, SIZE.size, 1)
        if not head:
            return
        (answer,) = pipes
        os.set_inheritable(answer, False)  # noqa: FBT003 - positional only
        size = SIZE.unpack(head)[0]
        order = _receive(tool, size)
        if len(order) < size:
            return
        yield order, answer


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
