"""The requests that wait for a server of their fleet; the next ones may be with it already."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipelines.backends.local.hosting.model_server import ModelServer
from pipelines.backends.local.hosting.values import Invocation
from pipelines.backends.local.waiting import Signal


class Turn:
    """The turn of one request.

    Args:
        invocation: the request.

    Attributes:
        server: the server that it gets; None where that is to be started.
        dead: servers that have ended and are to be cleared up.
        signal: where it has to wait: is set when it is its turn, or when the fleet is stopped.
        is_given: whether it is its turn.
        ahead: the server that has the request before its turn.
    """

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.ahead: ModelServer | None = None
        self.server: ModelServer | None = None
        self.dead: list[ModelServer] = []
        self.signal: Signal | None = None
        self.is_given = False

    def take(self, server: ModelServer | None) -> None:
        """Have the turn, with a server that may have ended."""
        self.is_given = True
        if server is None or server.is_alive():
            self.server = server
        else:
            self.dead.append(server)

    def forgo(self) -> None:
        """Want no response any more."""
        if self.ahead is not None:
            self.ahead.spoil()

    def wake(self) -> None:
        """Let the request go on."""
        if self.signal is not None:
            self.signal.set()


class Turns:
    """Requests in the order of their arrival; protected by the lock of their fleet.

    Args:
        handed_over: whether the next ones are handed over to a server while it processes others.
            That takes a fleet with one server: of several, nobody knows which is free first.
    """

    def __init__(self, *, handed_over: bool) -> None:
        self._handed_over = handed_over
        self._waiting: deque[Turn] = deque()

    def add(self, turn: Turn, servers: Iterable[ModelServer]) -> None:
        """Let a request wait behind the others.

        Args:
            turn: its turn.
            servers: those that process requests.
        """
        self._waiting.append(turn)
        for server in servers:
            self._hand_over(server)

    def give(self, server: ModelServer | None) -> bool:
        """Let the next request have a server, or the place of one that has ended.

        Returns:
            Whether one has waited.
        """
        if not self._waiting:
            return False
        turn = self._waiting.popleft()
        turn.take(server)
        if turn.server is None:
            for other in self._waiting:
                other.ahead = None  # what has ended, or is to end, processes none of them
        else:
            self._hand_over(turn.server)
        turn.wake()
        return True

    def withdraw(self, turn: Turn) -> bool:
        """Take a request out; False where it does not wait any more."""
        if turn not in self._waiting:
            return False
        self._waiting.remove(turn)
        turn.forgo()
        return True

    def turn_away(self, *, handed: bool) -> int:
        """Have requests look for another fleet: all, or those that no server has already.

        Returns:
            How many still wait.
        """
        for turn in [one for one in self._waiting if handed or one.ahead is None]:
            self._waiting.remove(turn)
            turn.ahead = None
            turn.wake()
        return len(self._waiting)

    def _hand_over(self, server: ModelServer) -> None:
        """Let a server have the next requests while it processes others."""
        if not self._handed_over:
            return
        for turn in self._waiting:
            if turn.ahead is None:
                if not server.hand_over(turn.invocation):
                    return
                turn.ahead = server
