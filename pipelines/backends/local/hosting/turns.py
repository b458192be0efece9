"""The requests that wait for a server of their fleet; the next ones may be with one already."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from operator import attrgetter

from pipelines.backends.local.hosting.channel import Sent
from pipelines.backends.local.hosting.model_server import ModelServer
from pipelines.backends.local.hosting.values import FleetError, Invocation
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
        is_over: whether it waits no more: it is its turn, has failed, or was turned away.
        failure: why it will not get one.
        sent: what the server `ahead` has before its turn, or `server` since then.
        ahead: the server that has the request before its turn.
        place: its number in the order of arrival.
    """

    def __init__(self, invocation: Invocation) -> None:
        self.invocation = invocation
        self.sent: Sent | None = None
        self.ahead: ModelServer | None = None
        self.server: ModelServer | None = None
        self.dead: list[ModelServer] = []
        self.signal: Signal | None = None
        self.failure: FleetError | None = None
        self.is_given = self.is_over = False
        self.place = 0

    def request(self, server: ModelServer) -> Sent:
        """Return what its server answers."""
        if self.sent is None:
            self.sent = server.prepare(self.invocation)
        return self.sent

    def take(self, server: ModelServer | None) -> None:
        """Have the turn, with a server."""
        self.server, self.ahead, self.is_given = server, None, True

    def hand_over(self, server: ModelServer) -> bool:
        """Let a server have the request while it processes others; False where it cannot."""
        self.sent = server.hand_over(self.invocation)
        self.ahead = server if self.sent else None
        return self.sent is not None

    def take_back(self) -> bool:
        """Let the request wait for any server again; False where its server has begun it."""
        if self.ahead is not None and self.sent is not None:
            if not self.ahead.take_back(self.sent):
                return False
            self.ahead = self.sent = None
        return True

    def forgo(self) -> None:
        """Want no response any more."""
        server = self.ahead or self.server
        if server is not None and self.sent is not None and not server.take_back(self.sent):
            self.sent.is_wanted = False

    def wake(self) -> None:
        """Let the request go on: it waits no more."""
        self.is_over = True
        if self.signal is not None:
            self.signal.set()


class Turns:
    """Requests in the order of their arrival; protected by the lock of their fleet.

    All servers are busy where one waits. The next ones are handed over to servers while they
    process others; one that has not been begun then is taken back when another server is free, or
    would begin a later one.
    """

    def __init__(self) -> None:
        self._waiting: deque[Turn] = deque()
        self._places = 0

    def add(self, turn: Turn, servers: Iterable[ModelServer]) -> None:
        """Let a request wait behind the others.

        Args:
            turn: its turn.
            servers: those that process requests.
        """
        self._places += 1
        turn.place = self._places
        self._waiting.append(turn)
        self._hand_over([*servers])

    def settle(self, server: ModelServer) -> None:
        """Have a server that has failed keep no request; those that it has begun have failed.

        One that has begun what nobody wants keeps what it has begun after that.
        """
        if server.failure is None and not server.is_wasted:
            return
        begun = [one for one in self._waiting if one.ahead is server and not one.take_back()]
        for turn in begun if server.failure is not None else ():
            self._waiting.remove(turn)
            turn.failure = server.failure
            turn.wake()

    def give(self, server: ModelServer | None) -> bool:
        """Let the next request have a server, or the place of one that has ended.

        Returns:
            Whether one has waited.
        """
        turn = self._next(server)
        if turn is None:
            return False
        self._waiting.remove(turn)
        turn.take(server)
        if server is not None:
            self._follow(server, turn.place)
        turn.wake()
        return True

    def withdraw(self, turn: Turn, *, begun: bool = True) -> bool:
        """Take a request out; False where it does not wait any more.

        Args:
            turn: its turn.
            begun: also one that a server has begun.
        """
        if turn not in self._waiting or not (begun or turn.take_back()):
            return False
        self._waiting.remove(turn)
        turn.forgo()
        return True

    def turn_away(self) -> int:
        """Have requests look for another fleet, but for those that a server has begun.

        Returns:
            How many still wait.
        """
        for turn in [one for one in self._waiting if one.take_back()]:
            self._waiting.remove(turn)
            turn.wake()
        return len(self._waiting)

    def _next(self, server: ModelServer | None) -> Turn | None:
        """Return who is next: a request that the server has already, or the first one not begun."""
        owed = server.owed if server is not None else None
        if owed is not None:
            return next(one for one in self._waiting if one.sent is owed)
        return next((one for one in self._waiting if one.take_back()), None)

    def _follow(self, server: ModelServer, place: int) -> None:
        """Let a server have what follows a request: first what that has overtaken elsewhere."""
        servers = [server]
        for turn in self._waiting:
            if turn.place > place:
                break
            other = turn.ahead
            if other is not None and other is not server and turn.take_back():
                turn.hand_over(server)
                servers.append(other)
        self._hand_over(servers)

    def _hand_over(self, servers: list[ModelServer]) -> None:
        """Let servers have the next requests while they process others."""
        for turn in self._waiting:
            if turn.ahead is not None:
                continue
            servers.sort(key=attrgetter("load"))
            if not any(turn.hand_over(server) for server in servers):
                return
