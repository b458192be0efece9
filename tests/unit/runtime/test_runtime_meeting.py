"""Who connects to a host of an MPI job and is no other host of it: any process of the machine."""

from __future__ import annotations

import json
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from pipelines.json_types import Json
from pipelines.runtime import agent
from pipelines.runtime.callers import Callers
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.meeting import _asked, _reported

HOSTS = Hosts("algo-1", ("algo-1", "algo-2"), "ml.m5.large", "lo", {})
CONTAINER = Container("a-job", HOSTS, {}, {}, {}, {}, isolated=False)


@contextmanager
def connected() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Both ends of a connection, the server's first."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as theirs,
        server.accept()[0] as ours,
    ):
        yield ours, theirs


def heard(callers: Callers, answer: bytes = b"") -> list[Json]:
    """Return the next message; answer it."""
    called = callers.message(None)
    assert called is not None
    with called[0] as connection:
        connection.sendall(answer)
        return called[1]


@pytest.mark.parametrize(
    "report",
    [
        [],
        ["a-job"],
        ["another-job", 1, 2, "/code", 4000, "t"],
        ["a-job", 0, 2, "/code", 4000, "t"],
        ["a-job", 2, 2, "/code", 4000, "t"],
        ["a-job", [1], 2, "/code", 4000, "t"],
        ["a-job", 1, 2, "/theirs", 4000, "t"],
    ],
)
def test_a_report_of_no_other_host_is_passed_over(
    report: list[Json], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ranks execute what is in the folder of a report: only who has the job's key may make one."""
    monkeypatch.setenv(agent.KEY, "the key")
    key = "another key" if report[:2] == ["a-job", 1] else "the key"
    with connected() as (connection, _):
        line = [*report, agent.proof(key, "t", json.dumps(report))]
        assert _reported(connection, line, CONTAINER) is None
        own: list[Json] = ["a-job", 1, 2, "/code", 4000, "t"]
        line = [*own, agent.proof("the key", "t", json.dumps(own))]
        follower = _reported(connection, line, CONTAINER)
        assert follower is not None
        assert follower.door == ("127.0.0.1", 4000, "t")


@pytest.mark.parametrize("asked", [[], [1, 2, 3], ["true"], ["\ud800", "said"]])
def test_a_door_opens_to_nobody_who_only_knocks(asked: list[Json]) -> None:
    """What is no command of the agent ends neither the host nor the job."""
    assert _asked(asked, "token") is None
    assert _asked(["true", agent.proof("", "token", "true")], "token") == "true"


@pytest.mark.parametrize(
    "said",
    [b"", b"[1, ", b"\n", b"null\n", b"[" * 100_000 + b"\n", b"\xff\n", b"9" * (2**20 + 1)],
    ids=lambda said: said[:4].decode("latin-1").strip() or "nothing",
)
def test_who_calls_and_says_nothing_of_use_keeps_nobody_waiting(said: bytes) -> None:
    """Not for a second: the message of the next one is read while the first still holds the line.

    A connection with half a message stays, and is heard when it has the rest.
    """
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        Callers(server) as callers,
        socket.create_connection(server.getsockname()) as stranger,
        socket.create_connection(server.getsockname()) as half,
        socket.create_connection(server.getsockname()) as ours,
    ):
        ours.settimeout(20)
        half.sendall(b'["a report')
        stranger.settimeout(0)
        with suppress(OSError):  # too long a line is not read to its end
            stranger.sendall(said)
        ours.sendall(b'["a command"]\n')
        assert heard(callers, b"0\n") == ["a command"]
        assert ours.recv(10) == b"0\n"
        half.sendall(b'"]\nand more')
        assert heard(callers) == ["a report"]
        assert callers.message(0.0) is None


def test_a_master_that_speaks_is_heard_before_callers() -> None:
    """A host that waits for daemons to start ends when its job has ended."""
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        connected() as (ours, master),
        Callers(server) as callers,
        socket.create_connection(server.getsockname()) as caller,
    ):
        caller.sendall(b'["a command"]\n')
        master.sendall(b"[0]\n")
        select.select([ours], [], [])
        assert callers.message(None, [ours]) is None


def test_a_crowd_of_callers_does_not_use_up_the_descriptors() -> None:
    """The oldest of those that say nothing is hung up on."""
    with socket.create_server(("127.0.0.1", 0), backlog=200) as server, Callers(server) as callers:
        crowd = [socket.create_connection(server.getsockname()) for _ in range(101)]
        crowd[-1].sendall(b'["a report"]\n')
        assert heard(callers) == ["a report"]
        crowd[0].settimeout(20)
        assert crowd[0].recv(1) == b""
        for one in crowd:
            one.close()
