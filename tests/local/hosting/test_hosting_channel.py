"""The connection to a model server: a response belongs to its request, which may be taken back."""

from __future__ import annotations

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from pipelines.backends.local.hosting import model_server
from pipelines.backends.local.hosting.channel import (
    Channel,
    ChannelEndedError,
    Sent,
    WrongResponseError,
)
from pipelines.backends.local.hosting.model_server import ModelServer
from pipelines.backends.local.hosting.values import FleetError, Invocation
from pipelines.backends.local.hosting.worker.handler import InvocationReply, InvocationRequest
from pipelines.backends.local.hosting.worker.http import PIECE, serve, write_message
from pipelines.backends.local.jobs.launcher.client import Launcher
from pipelines.backends.local.waiting import BLOCKING, in_this_thread


class Server:
    """The other end: processes what was sent when it is told to, and returns bodies as they are."""

    def __init__(self) -> None:
        ours, self.channel = socket.socketpair()
        self.ours = Channel(ours)
        (offers,) = socket.recv_fds(self.channel, 1, 1)[1]
        self.offers = socket.socket(fileno=offers)
        self.seen: list[bytes] = []

    def reply(self, request: InvocationRequest) -> InvocationReply:
        """Return the body."""
        self.seen.append(request.body)
        return InvocationReply(200, request.body, "x/x")

    def sent(self, body: bytes) -> Sent:
        """Number a request."""
        return self.ours.numbered(Invocation(body, "x/x", "*/*"), 0)

    def ask(self, sent: Sent, seconds: float = 60) -> bytes:
        """Return the response to a request."""
        until = time.monotonic() + seconds
        return in_this_thread(self.ours.exchange(sent, BLOCKING, until)).body

    def run(self) -> None:
        """Process all that is offered."""
        self.offers.settimeout(0)
        with pytest.raises(BlockingIOError):
            serve(self.channel, self, self.offers)


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server."""
    server = Server()
    with closing(server.ours), server.channel, server.offers:
        yield server


def test_a_request_that_is_taken_back_is_never_begun(server: Server) -> None:
    """Those before and behind it are; one that was begun cannot be taken back."""
    first, second, third = (server.sent(body) for body in (b"first", b"second", b"third"))
    with pytest.raises(TimeoutError):
        server.ask(first, 0)
    assert server.ours.hand_over(second)
    assert server.ours.hand_over(third)
    assert server.ours.take_back(second)
    server.run()
    assert not server.ours.take_back(third)
    assert server.ask(third) == b"third", "the response to the first one is skipped"
    assert server.seen == [b"first", b"third"]


def test_a_server_goes_on_after_a_request_that_was_taken_back_in_its_middle(
    server: Server,
) -> None:
    """There was no room for all of it: the rest precedes the next request."""
    sent = [server.sent(b"x" * PIECE)]
    while server.ours.hand_over(sent[-1]) and not sent[-1].left:
        sent.append(server.sent(b"x" * PIECE))
    assert sent[-1].is_offered, "it is the one that was cut"
    assert server.ours.take_back(sent[-1])
    assert not server.ours.has_room(Invocation(b"x", "x/x", "*/*"), len(sent) + 1)
    for one in sent[:-1]:
        assert server.ours.take_back(one)
    assert not server.ours.is_wasted
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(server.ask, server.sent(b"next"))
        select.select([server.offers], [], [])
        server.run()
        assert asked.result() == b"next"
    assert server.seen == [b"next"]


def test_a_server_that_closes_its_connection_and_does_not_end_is_ended(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its request fails; a thread of the user's code can keep the process."""
    monkeypatch.setattr(model_server, "_TERM_SECONDS", 0)
    answers, end = os.pipe()
    signals: list[signal.Signals] = []
    launcher = Launcher(0, answers)
    monkeypatch.setattr(launcher, "send_signal", signals.append)
    model = ModelServer(launcher, tmp_path / "log")
    model._channel = server.ours
    server.channel.close()
    with pytest.raises(FleetError, match="closed its connection"):
        in_this_thread(model.answer(server.sent(b"x"), BLOCKING, 60))
    assert signals == [signal.SIGUSR1]
    os.close(end)
    launcher.close()


@pytest.mark.parametrize(
    "response",
    [
        write_message("HTTP/1.1 200 ", {"content-type": "x/x"}, b"x", 2),
        write_message("HTTP/1.1 200 ", {"content-type": "x/x"}, b"x"),
        b"HTTP/1.1 200 \r\ncontent-length: many\r\n\r\n",
    ],
)
def test_what_is_no_response_to_the_request_is_nobodys(server: Server, response: bytes) -> None:
    """It has another number, or none, or cannot be read."""
    server.channel.sendall(response)
    with pytest.raises(WrongResponseError):
        server.ask(server.sent(b"x"))
    server.channel.close()
    with pytest.raises(ChannelEndedError):
        server.ask(server.sent(b"x"))
