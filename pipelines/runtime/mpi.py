"""One command → the same command under mpirun, on one host or several.

Every host writes its own command and environment into a folder whose name all hosts know;
mpirun starts `rank.py` in every process, which reads them there. So SM_CURRENT_HOST is correct on
every host (FACTS 3.3) and no value passes through mpirun's `-x`. The master starts mpirun when
every other host has reported to its port, and sends them the exit code over that connection.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Iterator

from . import child, rank
from .bundle import Job
from .command import processes_per_host
from .container import Container, Hosts
from .errors import JobError

_SSHD = Path("/usr/sbin/sshd")
_SHARED = Path("/tmp")  # noqa: S108 - the folder below is private, its owner is checked
_REPORT_SECONDS = 600.0
_PAUSE = 0.2
_STARTER = "start.py"
_MPIRUN = (
    "mpirun", "--allow-run-as-root", "--bind-to", "none", "--map-by", "slot",
    "-mca", "plm_rsh_no_tree_spawn", "1", "-mca", "orte_abort_on_non_zero_status", "1",
)  # fmt: skip


def run(job: Job, container: Container, single: child.Command) -> child.Ended:
    """Run `single` as every rank; there are processes per host times hosts.

    Raises:
        JobError: there is no mpirun, or a host did not report in time.
    """
    hosts = container.hosts
    if hosts.rank == 0:
        _need_mpirun(single)
    with _plan(container, single) as starter:
        if len(hosts.names) > 1 and _SSHD.exists():
            subprocess.run([str(_SSHD)], check=False)
        if hosts.rank > 0:
            return _follow(container)
        processes = processes_per_host(job)
        start = [single.argv[0], str(starter), str(processes)]
        argv = mpirun_arguments(hosts, processes, start)
        with _followers(container) as followers:
            ended = child.run(child.Command(argv, single.environment, single.folder))
            for follower in followers:
                with contextlib.suppress(OSError):  # it has already ended
                    follower.sendall(str(ended.exit_code).encode())
        return ended


def mpirun_arguments(hosts: Hosts, processes: int, start: list[str]) -> list[str]:
    """Return mpirun's arguments; `-np` counts the processes of all hosts (FACTS 3.2)."""
    slots = ",".join(f"{name}:{processes}" for name in hosts.names)
    arguments = [*_MPIRUN, "--host", slots, "-np", str(processes * len(hosts.names))]
    if hosts.interface and len(hosts.names) > 1:
        for layer in ("btl_tcp_if_include", "oob_tcp_if_include"):
            arguments += ["-mca", layer, hosts.interface]
    return [*arguments, *start]


def meeting_port(container: Container) -> int:
    """Return the port that the hosts report to; SM_MASTER_PORT stays free for the user."""
    first = 20000
    return (container.port - first + 5000) % 10000 + first


def _need_mpirun(single: child.Command) -> None:
    if shutil.which(_MPIRUN[0], path=single.environment.get("PATH")) is None:
        raise JobError(
            "the step has `distribution: mpi`, and mpirun is not installed here: use an "
            "image or a machine with Open MPI, or `distribution: torchrun`"
        )


@contextlib.contextmanager
def _plan(container: Container, single: child.Command) -> Iterator[Path]:
    """Write what the ranks of this host need; yield the script that starts a rank."""
    shared = _SHARED / f"pipelines-mpi-{os.getuid()}-{container.port}"
    shared.mkdir(mode=0o700, exist_ok=True)
    if shared.is_symlink() or shared.stat().st_uid != os.getuid():
        raise JobError(f"the folder {shared} belongs to another user")
    own = shared / str(container.hosts.rank)
    own.mkdir(exist_ok=True)
    try:
        content = [list(single.argv), dict(single.environment), str(single.folder)]
        (own / rank.PLAN).write_text(json.dumps(content), encoding="utf-8")
        source = single.folder.parent / "tool" / "pipelines" / "runtime" / "rank.py"
        shutil.copyfile(source, own / _STARTER)
        (own / _STARTER).replace(shared / _STARTER)  # several hosts may share a machine
        yield shared / _STARTER
    finally:
        shutil.rmtree(own)
        with contextlib.suppress(OSError):  # another host on this machine still needs it
            (shared / _STARTER).unlink()
            shared.rmdir()


@contextlib.contextmanager
def _followers(container: Container) -> Iterator[list[socket.socket]]:
    """Wait for a connection from every other host."""
    expected = len(container.hosts.names) - 1
    if not expected:
        yield []
        return
    with contextlib.ExitStack() as stack:
        followers: list[socket.socket] = []
        server = stack.enter_context(socket.socket())
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("", meeting_port(container)))
        server.listen(expected)
        server.settimeout(_REPORT_SECONDS)
        while len(followers) < expected:
            try:
                followers.append(stack.enter_context(server.accept()[0]))
            except socket.timeout:
                missing = expected - len(followers)
                raise JobError(f"{missing} of the hosts did not report for mpirun") from None
        yield followers


def _follow(container: Container) -> child.Ended:
    """Report to the master and wait for the exit code of mpirun."""
    master = container.hosts.master
    with _connect(master, meeting_port(container)) as connection:
        answer = connection.recv(16)
    if not answer:
        raise JobError(f"the master host {master} ended without reporting how")
    return child.Ended(int(answer), f"mpirun on {master} has ended\n", None)


def _connect(host: str, port: int) -> socket.socket:
    until = time.monotonic() + _REPORT_SECONDS
    while True:
        try:
            return socket.create_connection((host, port))
        except OSError as error:  # its name or its port is not available yet
            if time.monotonic() >= until:
                raise JobError(f"the master host {host} cannot be reached: {error}") from None
            time.sleep(_PAUSE)
