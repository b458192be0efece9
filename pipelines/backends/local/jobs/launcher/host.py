"""One host of a job: a launcher, from its order to its last word.

It leaves no process behind: it is the subreaper of everything the job starts, kills what is left
when the job's main process has ended, and is told by the kernel when the tool dies. SIGTERM is
passed on to the main process; SIGUSR1 kills the job at once, SIGUSR2 lets a host go that leads a
network.

What happened is written to the pipe that came with the order, one line each: `ready`, then one of
`exit <code>`, `signal <number>`, `exec <why>`, `setup <why>`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import NoReturn

from pipelines.backends.local.jobs.launcher import bundles, namespaces, processes


def launch(order: bytes, answer: int, parent: int) -> NoReturn:
    """Be the launcher that carries out an order; the process ends here.

    Args:
        order: JSON with `isolation` (`namespaces` or `rewrite`), the arguments of
            `namespaces.isolate` as `cell`, those of `_settle` as `settle`, and `words`; with no
            words the isolation is tried and nothing started.
        answer: the pipe to answer on.
        parent: the process that this one was forked off.
    """
    code = 1
    try:
        os.setsid()
        _run(json.loads(order), answer, parent)
        code = 0
    except BaseException as error:  # noqa: BLE001 - the outermost frame of a process
        sys.excepthook(type(error), error, error.__traceback__)
    finally:
        os._exit(code)  # somebody waits, and an interpreter takes its time to leave


def _run(order: Mapping[str, object], answer: int, parent: int) -> None:
    words: list[str] = order["words"]  # type: ignore[assignment]  # isolation.py wrote it
    cell: dict[str, str] = order["cell"]  # type: ignore[assignment]  # as above
    try:
        if words:
            _settle(**order["settle"])  # type: ignore[arg-type]  # as above
        if order["isolation"] == "namespaces":
            namespaces.isolate(**cell)
        processes.adopt(parent)
    except OSError as error:
        os.write(answer, f"setup {error.filename}: {error.strerror}\n".encode())
        return
    os.write(answer, b"ready\n")
    if cell["network"] == "lead":
        processes.hold()
    status = processes.watch(_start(words, answer), parent) if words else 0
    if os.getppid() != parent:
        return  # the fork server was killed, which is not the job's doing: nothing is said of it
    code = os.waitstatus_to_exitcode(status)
    os.write(answer, (f"exit {code}\n" if code >= 0 else f"signal {-code}\n").encode())


def _settle(log: str, folder: str, environment: dict[str, str]) -> None:
    """Take the job's output file, working directory and environment."""
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(written)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _start(words: list[str], answer: int) -> int:
    """Start the job's main process in a session of its own; give its process id."""
    launcher = os.getpid()
    try:
        process = os.fork()
    except OSError as error:
        os.write(answer, f"setup fork: {error.strerror}\n".encode())
        os._exit(1)
    if process:
        return process
    os.setsid()
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    processes.die_with_parent(signal.SIGKILL)
    if os.getppid() == launcher:
        members = bundles.members_of(words)
        if members:
            os.close(answer)  # the launcher's alone: its end is the end of the launcher
            os._exit(bundles.run(words[1:], members))
        for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        try:
            os.execvp(words[0], words)  # noqa: S606 - this is what a launcher does
        except OSError as error:
            os.write(answer, f"exec {words[0]!r}: {error.strerror}\n".encode())
    os._exit(127)
