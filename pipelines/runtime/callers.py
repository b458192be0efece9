"""A listening socket → the first line of each connection, in the order in which lines are complete.

Whoever connects and says nothing, or half a line, keeps nobody else waiting.
"""

from __future__ import annotations

import json
import select
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterable

_CHUNK = 65536
_LONGEST = 2**20  # a line; a launcher's command for hundreds of hosts has a tenth of it
_MOST = 100  # connections that have not yet said their line: the oldest one goes for the next


class Callers:
    """Those who have connected to a listening socket.

    Args:
        server: the socket.
    """

    def __init__(self, server: socket.socket) -> None:
        server.settimeout(0)
        self._server = server
        self._said: dict[socket.socket, bytes] = {}

    def __enter__(self) -> Callers:  # noqa: PYI034 - `Self` is newer than Python 3.7
        return self

    def __exit__(self, *_: object) -> None:
        for connection in list(self._said):
            self._hang_up(connection)

    def message(
        self, until: float | None, others: Iterable[socket.socket] = ()
    ) -> tuple[socket.socket, list[Any]] | None:
        """Return the next message and who sent it, whose connection is the caller's from then on.

        None when it is time, or when there is something to read on one of the others.

        Args:
            until: when to give up, by the monotonic clock; None for never.
            others: sockets that are watched as well, and not read.
        """
        watched = list(others)
        while True:
            patience = None if until is None else max(0.0, until - time.monotonic())
            ready = select.select([self._server, *self._said, *watched], [], [], patience)[0]
            if not ready or any(one in ready for one in watched):
                return None
            for one in ready:
                message = self._read(one)
                if message is not None:
                    return one, message
            if self._server in ready:
                self._accept()

    def _accept(self) -> None:
        try:
            connection = self._server.accept()[0]
        except OSError:
            return  # it has gone already
        connection.settimeout(0)
        self._said[connection] = b""
        if len(self._said) > _MOST:
            self._hang_up(next(iter(self._said)))

    def _read(self, connection: socket.socket) -> list[Any] | None:
        """Read what there is; return the message if that was the end of its line."""
        if connection is self._server:
            return None
        try:
            data = connection.recv(_CHUNK)
        except OSError:
            data = b""
        said = self._said[connection] + data
        line, end, _ = said.partition(b"\n")
        message = message_in(line) if end else None
        if message is not None:
            del self._said[connection]
            connection.settimeout(None)
        elif end or not data or len(said) > _LONGEST:
            self._hang_up(connection)
        else:
            self._said[connection] = said
        return message

    def _hang_up(self, connection: socket.socket) -> None:
        del self._said[connection]
        connection.close()


def message_in(line: bytes) -> list[Any] | None:
    """Read a line; None where it is not one of ours."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return message if isinstance(message, list) else None
