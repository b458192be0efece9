"""The hosts of a job → a connection from each of the others to the master.

A host reports to the master's port with the number of its processes and a door of its own. There it
starts what the master's launcher agent asks for (`agent.py`), until the master says how the job has
ended, or is gone.
"""

from __future__ import annotations

import contextlib
import hmac
import json
import os
import select
import signal
import socket
import time
from pathlib import Path

from . import agent, child
from .callers import Callers, message_in
from .container import Container
from .errors import JobError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Iterator
    from typing import NamedTuple as Record
else:
    from .record import Record

LOOPBACK = ("lo", "lo0")
"""The interface of hosts that are all on this machine."""
_REPORT_SECONDS = 600.0
_REPORT = [str, int, int, str, int, str, str]
"""Job, rank, processes, folder, port and token of a door, and the proof of all that."""
_PATIENCE = 10.0  # for the rest of what the master has begun to say
_PAUSE = 0.2


class Follower(Record):
    """A host that has reported to the master.

    Args:
        rank: its position among the hosts.
        processes: how many ranks it runs.
        code: its folder of the user's code.
        door: the address and port where it starts daemons, and the token that it expects there.
        connection: it is told there how the job has ended; closed when it has ended itself.
    """

    rank: int
    processes: int
    code: Path
    door: tuple[str, int, str]
    connection: socket.socket

    @property
    def is_gone(self) -> bool:
        """Whether it has ended: it says no more than its report."""
        return _has_spoken(self.connection)

    def end(self, ended: child.Ended) -> None:
        """Tell it how the job has ended."""
        with contextlib.suppress(OSError):  # it has already ended
            _send(self.connection, [ended.code, ended.tail, ended.stopped])


def meeting_port(container: Container) -> int:
    """Return the port that the hosts report to; SM_MASTER_PORT stays free for the user."""
    first = 20000
    return (container.port - first + 5000) % 10000 + first


@contextlib.contextmanager
def meet(container: Container) -> Iterator[list[Follower]]:
    """Wait on the master until every other host has reported; yield them by rank.

    Raises:
        JobError: the port is taken, or a host did not report in time.
    """
    missing = dict(enumerate(container.hosts.names[1:], start=1))
    if not missing:
        yield []
        return
    followers: dict[int, Follower] = {}
    with contextlib.ExitStack() as stack:
        callers = stack.enter_context(Callers(stack.enter_context(_listening(container))))
        until = time.monotonic() + _REPORT_SECONDS
        while missing:
            called = callers.message(until)
            if called is None:
                names = ", ".join(missing.values())
                raise JobError(f"no report from {names} within {_REPORT_SECONDS:g} s")
            follower = _reported(stack.enter_context(called[0]), called[1], container)
            if follower is not None:
                followers[follower.rank] = follower
                missing.pop(follower.rank, None)
        yield [followers[rank] for rank in sorted(followers)]


def follow(
    container: Container,
    processes: int,
    command: child.Command,
    deliver: Callable[[int, int], None],
) -> child.Ended:
    """Report to the master, start its daemons, and return how the job has ended.

    Args:
        container: the platform's configuration.
        processes: how many ranks this host runs.
        command: whose environment and folder a daemon gets.
        deliver: passes a signal on to what a daemon has started.

    Raises:
        JobError: the master cannot be reached, or is gone.
    """
    master = container.hosts.master
    token = os.urandom(16).hex()
    with _connect(master, meeting_port(container)) as connection, socket.socket() as door:
        door.bind((connection.getsockname()[0], 0))
        door.listen()
        where = [door.getsockname()[1], token]
        rank, code = container.hosts.rank, str(command.folder)
        report = [container.job_name, rank, processes, code, *where]
        _send(connection, [*report, _proof(token, json.dumps(report))])
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)  # the ranks decide when to end
        daemon = _serve(door, token, command, (connection, deliver))
        answer = _receive(connection)
    if daemon and (answer is None or answer[0] == 0):  # mpirun may call that a success
        raise JobError(f"mpirun's daemon on this host ended with exit code {daemon}", daemon)
    if answer is None:
        raise JobError(f"the master host {master} ended without reporting how")
    ended = child.Ended(*answer)
    print(f"pipelines: mpirun on {master} has ended with exit code {ended.exit_code}", flush=True)
    return ended


def _serve(
    door: socket.socket,
    token: str,
    command: child.Command,
    ends: tuple[socket.socket, Callable[[int, int], None]],
) -> int:
    """Start daemons until one fails, whose exit code is returned, or the master speaks."""
    connection, deliver = ends
    with Callers(door) as callers:
        while True:
            called = callers.message(None, [connection])
            if called is None:
                return 0
            with called[0] as asking:
                text = _asked(called[1], token)
                if text is None:
                    continue
                daemon = command._replace(argv=["/bin/sh", "-c", text])
                code = child.run(daemon, [connection], deliver).exit_code
                with contextlib.suppress(OSError):  # mpirun need not wait for its agent
                    asking.sendall(f"{code}\n".encode())
            if code and not _has_spoken(connection):
                return code


def _has_spoken(connection: socket.socket) -> bool:
    """Return whether there is something to read."""
    return connection in select.select([connection], [], [], 0.0)[0]


def _asked(asked: list[Any], token: str) -> str | None:
    """Return the command that the master's agent sends; None of what anybody else says."""
    if [type(one) for one in asked] != [str, str]:
        return None
    text, said = asked
    return text if _is_proof(said, token, text) else None


def _proof(token: str, text: str) -> str:
    return agent.proof(os.environ.get(agent.KEY, ""), token, text)


def _is_proof(said: str, token: str, text: str) -> bool:
    try:
        return hmac.compare_digest(said.encode(), _proof(token, text).encode())
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can write
        return False


def _listening(container: Container) -> socket.socket:
    """Listen where the other hosts report: on this machine alone if all of them are on it."""
    here = container.hosts.master if container.hosts.interface in LOOPBACK else ""
    server = socket.socket()
    try:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind((here, meeting_port(container)))
        server.listen(len(container.hosts.names))
    except OSError as error:
        server.close()
        raise JobError(f"the other hosts cannot report for mpirun: {error}") from None
    return server


def _reported(
    connection: socket.socket, report: list[Any], container: Container
) -> Follower | None:
    """Read a host's report; None from anybody who is no host of this job."""
    if [type(one) for one in report] != _REPORT:
        return None
    *said, proof = report
    name, rank, processes, code, port, token = said
    if name != container.job_name or not 0 < rank < len(container.hosts.names):
        return None
    if not _is_proof(proof, token, json.dumps(said)):
        return None  # its folder holds what our ranks would execute
    address = connection.getpeername()[0]
    return Follower(rank, processes, Path(code), (address, port, token), connection)


def _send(connection: socket.socket, message: list[Any]) -> None:
    connection.sendall(json.dumps(message).encode() + b"\n")


def _receive(connection: socket.socket) -> list[Any] | None:
    """Read the master's message; None if there is none, or it is not one of ours."""
    connection.settimeout(_PATIENCE)
    try:
        with connection.makefile("rb") as lines:
            return message_in(lines.readline())
    except OSError:
        return None


def _connect(host: str, port: int) -> socket.socket:
    until = time.monotonic() + _REPORT_SECONDS
    while True:
        try:
            return socket.create_connection((host, port))
        except OSError as error:  # its name or its port is not available yet
            if time.monotonic() >= until:
                raise JobError(f"the master host {host} cannot be reached: {error}") from None
            time.sleep(_PAUSE)
