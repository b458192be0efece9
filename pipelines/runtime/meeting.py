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
_PATIENCE = 10.0  # for somebody who connects and says nothing
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
    followers: dict[int, Follower] = {}
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(_listening(container)) if missing else None
        until = time.monotonic() + _REPORT_SECONDS
        while server is not None and missing:
            server.settimeout(max(0.1, until - time.monotonic()))
            try:
                connection = stack.enter_context(server.accept()[0])
            except socket.timeout:
                names = ", ".join(missing.values())
                raise JobError(f"no report from {names} within {_REPORT_SECONDS:g} s") from None
            follower = _reported(connection, container)
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
        door.listen(1)
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
    while not _has_spoken(connection, door):
        with door.accept()[0] as asking:
            text = _asked(asking, token)
            if text is None:
                continue
            daemon = command._replace(argv=["/bin/sh", "-c", text])
            code = child.run(daemon, [connection], deliver).exit_code
            with contextlib.suppress(OSError):  # mpirun need not wait for its agent
                asking.sendall(f"{code}\n".encode())
            if code and not _has_spoken(connection):
                return code
    return 0


def _has_spoken(connection: socket.socket, *others: socket.socket) -> bool:
    """Return whether there is something to read; with others, wait for one of them."""
    patience = None if others else 0.0
    return connection in select.select([connection, *others], [], [], patience)[0]


def _asked(asking: socket.socket, token: str) -> str | None:
    """Read the command that the master's agent sends; None from anybody else."""
    asked = _receive(asking)
    if asked is None or [type(one) for one in asked] != [str, str]:
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


def _reported(connection: socket.socket, container: Container) -> Follower | None:
    """Read a host's report; None from anybody who is no host of this job."""
    report = _receive(connection)
    if report is None or [type(one) for one in report] != _REPORT:
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
    """Read a message; None if there is none, or it is not one of ours."""
    connection.settimeout(_PATIENCE)
    try:
        with connection.makefile(encoding="utf-8") as lines:
            message = json.loads(lines.readline())
    except (OSError, ValueError, RecursionError):
        return None
    return message if isinstance(message, list) else None


def _connect(host: str, port: int) -> socket.socket:
    until = time.monotonic() + _REPORT_SECONDS
    while True:
        try:
            return socket.create_connection((host, port))
        except OSError as error:  # its name or its port is not available yet
            if time.monotonic() >= until:
                raise JobError(f"the master host {host} cannot be reached: {error}") from None
            time.sleep(_PAUSE)
