"""Who connects to a host of an MPI job and is no other host of it: any process of the machine."""

from __future__ import annotations

import json
import socket

import pytest

from pipelines.json_types import Json
from pipelines.runtime import agent
from pipelines.runtime.container import Container, Hosts
from pipelines.runtime.meeting import _asked, _reported

HOSTS = Hosts("algo-1", ("algo-1", "algo-2"), "ml.m5.large", "lo", {})
CONTAINER = Container("a-job", HOSTS, {}, {}, {}, {}, isolated=False)


def connected(line: bytes) -> socket.socket:
    """A connection on which somebody has said one line."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        theirs = socket.create_connection(server.getsockname())
        with theirs:
            theirs.sendall(line + b"\n")
            return server.accept()[0]


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
    line = [*report, agent.proof(key, "t", json.dumps(report))]
    with connected(json.dumps(line).encode()) as connection:
        assert _reported(connection, CONTAINER) is None
    own: list[Json] = ["a-job", 1, 2, "/code", 4000, "t"]
    line = [*own, agent.proof("the key", "t", json.dumps(own))]
    with connected(json.dumps(line).encode()) as connection:
        follower = _reported(connection, CONTAINER)
        assert follower is not None
        assert follower.door == ("127.0.0.1", 4000, "t")


@pytest.mark.parametrize(
    "line", [b"", b"[]", b"[1, 2, 3]", b'["true"]', b'["\\ud800", "said"]', b"[" * 100_000]
)
def test_a_door_opens_to_nobody_who_only_knocks(line: bytes) -> None:
    """What is no command of the agent ends neither the host nor the job."""
    with connected(line) as asking:
        assert _asked(asking, "token") is None
    command = json.dumps(["true", agent.proof("", "token", "true")]).encode()
    with connected(command) as asking:
        assert _asked(asking, "token") == "true"
