"""One connection to the process of a model server: numbered requests, and their responses in order.

A request is offered by its number on a second socket, from which the process reads the number when
it begins the request. This side can read there, too: what it finds has not been begun, and never
will be. So requests can be sent ahead to a process that is busy, and be taken back.
"""

from __future__ import annotations

import socket
from collections import deque
from contextlib import suppress
from itertools import count

from pipelines.backends.local.hosting.values import Invocation
from pipelines.backends.local.hosting.worker.http import (
    OFFER,
    PIECE,
    HttpMessage,
    MessageReader,
    write_message,
)
from pipelines.backends.local.waiting import Waiting

_MOST_OFFERS = 64 * OFFER.size


class ChannelEndedError(Exception):
    """The process has ended."""


class WrongResponseError(Exception):
    """The process has sent what is no response to its oldest request."""


class Sent:
    """A request that was sent, or its beginning.

    Args:
        number: its number.
        left: what is left to send.
        log_start: how long the log was before.

    Attributes:
        is_wanted: whether somebody will read the response.
        is_offered: whether the process may begin it.
    """

    def __init__(self, number: int, left: bytes, log_start: int) -> None:
        self.number = number
        self.left = memoryview(left)
        self.log_start = log_start
        self.is_wanted = True
        self.is_offered = False

    def send(self, channel: socket.socket, offers: socket.socket) -> None:
        """Send what can be sent at once, and offer the request.

        Raises:
            OSError: nothing can be sent at once, or the process has ended.
        """
        size = channel.send(self.left)
        self.offer(offers)
        self.left = self.left[size:]  # at last: what is whole may be followed by others

    def offer(self, offers: socket.socket) -> None:
        """Offer the request, once."""
        if not self.is_offered:
            self.is_offered = True
            offers.send(OFFER.pack(self.number), socket.MSG_DONTWAIT)


class Channel:
    """The connection; requests are sent by one caller at a time, `hand_over` and `take_back` too.

    Args:
        connected: the connection, of a process that waits for its offers.
    """

    def __init__(self, connected: socket.socket) -> None:
        self._channel = connected
        self._channel.settimeout(0)
        self._offers, self._offered = socket.socketpair()
        self._reader = MessageReader()
        self._numbers = count(1)
        self._sent: deque[Sent] = deque()
        self._rest = memoryview(b"")  # of one that was taken back before it was whole
        with suppress(OSError):  # it has ended: so the first request finds out
            socket.send_fds(connected, [b"0"], [self._offered.fileno()])

    def fileno(self) -> int:
        """Return the descriptor of the connection."""
        return self._channel.fileno()

    def close(self) -> None:
        """Close it: a process that waits for a request ends."""
        for one in (self._channel, self._offers, self._offered):
            one.close()

    @property
    def load(self) -> int:
        """Return how many responses the process owes."""
        return len(self._sent)

    @property
    def owed(self) -> Sent | None:
        """Return the first request that somebody wants a response to."""
        return next((one for one in (*self._sent,) if one.is_wanted), None)

    @property
    def is_wasted(self) -> bool:
        """Return whether the process has begun requests whose responses nobody wants."""
        return any(not one.is_wanted for one in (*self._sent,))

    def has_room(self, invocation: Invocation, most: int) -> bool:
        """Return whether a request may be sent behind others: `most` is how many there may be."""
        try:
            is_whole = not (self._sent[-1].left or self._rest)
        except IndexError:  # its first request has not been sent yet
            return False
        return is_whole and len(invocation.body) <= PIECE and len(self._sent) < most

    def hand_over(self, sent: Sent) -> bool:
        """Send a request behind others; False where that cannot be done at once."""
        try:
            sent.send(self._channel, self._offers)
        except OSError:  # it is full, or has ended
            return False
        self._sent.append(sent)
        return True

    def take_back(self, sent: Sent) -> bool:
        """Have the process not begin a request; False where it may have begun it."""
        try:
            offered = self._offered.recv(_MOST_OFFERS, socket.MSG_DONTWAIT)
            numbers = [number for (number,) in OFFER.iter_unpack(offered)]
            kept = [OFFER.pack(number) for number in numbers if number != sent.number]
            if kept:
                self._offers.send(b"".join(kept), socket.MSG_DONTWAIT)
        except OSError:  # nothing is offered
            return False
        if sent.number not in numbers:
            return False
        self._rest = sent.left or self._rest
        if sent in self._sent:  # else the process has responded before it had begun
            self._sent.remove(sent)
        return True

    async def exchange(self, sent: Sent, waiting: Waiting, until: float) -> HttpMessage:
        """Send a request, or what is left of it, and read its response.

        Args:
            sent: the request, which may have been handed over.
            waiting: how to wait.
            until: the end of the wait, of the monotonic clock.

        Raises:
            ChannelEndedError: the process has ended.
            WrongResponseError: it has sent something else.
            TimeoutError: the response was not there in time.
        """
        may_be_there = sent.is_offered
        if not may_be_there:
            self._go_on(sent)
        try:
            while sent.left:
                try:
                    sent.send(self._channel, self._offers)
                except BlockingIOError:
                    sent.offer(self._offers)  # then what was taken back is read
                    await waiting.writable(self._channel, until)
            return await self._response(sent, waiting, until, may_be_there=may_be_there)
        except (BrokenPipeError, ConnectionResetError):
            raise ChannelEndedError from None
        finally:
            sent.is_wanted = False  # where it was given up

    async def _response(
        self, sent: Sent, waiting: Waiting, until: float, *, may_be_there: bool
    ) -> HttpMessage:
        """Read the response to a request; those before it are wanted by nobody."""
        while True:
            while (message := self._read()) is None:
                if not may_be_there:
                    await waiting.readable(self._channel, until)
                may_be_there = self._receive()
            oldest = self._sent.popleft()
            if message.number != oldest.number:
                raise WrongResponseError
            if oldest is sent:
                return message
            if oldest.is_wanted:
                raise WrongResponseError

    def _go_on(self, sent: Sent) -> None:
        """Have a request follow what was sent last, which is to be whole before."""
        if self._rest:
            sent.left, self._rest = memoryview(bytes(self._rest) + sent.left), memoryview(b"")
        self._sent.append(sent)

    def _read(self) -> HttpMessage | None:
        try:
            return self._reader.next()
        except ValueError:
            raise WrongResponseError from None

    def _receive(self) -> bool:
        """Receive what is there; False where nothing is.

        More may be there: nobody tells of the rest where the other side has ended.
        """
        try:
            piece = self._channel.recv(PIECE)
        except BlockingIOError:
            return False
        if not piece:
            raise ChannelEndedError
        self._reader.add(piece)
        return True

    def numbered(self, invocation: Invocation | None, log_start: int) -> Sent:
        """Number a request; None is `/ping`."""
        number = next(self._numbers)
        if invocation is None:
            return Sent(number, write_message("GET /ping HTTP/1.1", {}, b"", number), log_start)
        headers = {
            **invocation.headers,
            "Content-Type": invocation.content_type,
            "Accept": invocation.accept,
        }
        line = "POST /invocations HTTP/1.1"
        return Sent(number, write_message(line, headers, invocation.body, number), log_start)
