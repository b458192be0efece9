"""One host of a job: a launcher, from its order to its result.

It leaves no process behind: it is the subreaper of everything that the job starts, kills what is
left when the job's main process has ended, and is signalled by the kernel when the tool dies.
SIGTERM is passed on to the main process; SIGUSR1 kills the job at once; SIGUSR2 releases a host
that leads a network.

The result is written to the pipe that came with the order, one line each: `ready`, then one of
`exit <code>`, `signal <number>`, `exec <why>`, `setup <why>`.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

from pipelines.backends.local.jobs.launcher import namespaces, preloaded, processes


def launch(order: bytes, answer: int, parent: int) -> NoReturn:
    """Carry out an order as a launcher; the process ends here.

    Args:
        order: JSON with `isolation` (`namespaces` or `rewrite`), the arguments of
            `namespaces.isolate` as `host`, those of `_set_up_process` as `process`, and `words`;
            without words the isolation is tried and nothing is started.
        answer: the pipe for the result.
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
        os._exit(code)  # the tool waits for this, and an interpreter's own exit takes longer


def _run(order: Mapping[str, object], answer: int, parent: int) -> None:
    words: list[str] = order["words"]  # type: ignore[assignment]  # client.py wrote it
    isolated: dict[str, Any] = order["host"]  # type: ignore[assignment]  # as above
    try:
        if words:
            _set_up_process(**order["process"])  # type: ignore[arg-type]  # as above
        if order["isolation"] == "namespaces":
            namespaces.isolate(**isolated)
        processes.become_subreaper(parent)
    except OSError as error:
        os.write(answer, f"setup {error.filename}: {error.strerror}\n".encode())
        return
    except ValueError as error:  # a NUL or a lone surrogate, which JSON can hold
        os.write(answer, f"setup environment: {error}\n".encode())
        return
    os.write(answer, b"ready\n")
    if isolated["network"] == "lead":
        processes.hold_network()
    status = processes.watch(_start(words, answer), parent) if words else 0
    if os.getppid() != parent:
        return  # the fork server was killed, which is not the job's fault: there is no result
    code = os.waitstatus_to_exitcode(status)
    os.write(answer, (f"exit {code}\n" if code >= 0 else f"signal {-code}\n").encode())


def _set_up_process(log: str, folder: str, environment: dict[str, str]) -> None:
    """Switch to the job's output file, working directory and environment."""
    written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
    os.dup2(written, 1)
    os.dup2(written, 2)
    os.close(written)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)


def _start(words: list[str], answer: int) -> int:
    """Start the job's main process in a session of its own; return its process id."""
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
        members = preloaded.members_of(words)
        if members:
            os.close(answer)  # only the launcher holds it: its end is the launcher's end
            os._exit(preloaded.run(words[1:], members))
        for ignored_by_python in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored_by_python, signal.SIG_DFL)
        try:
            os.execvp(words[0], words)  # noqa: S606 - this is what a launcher does
        except OSError as error:
            os.write(answer, f"exec {words[0]!r}: {error.strerror}\n".encode())
        except ValueError as error:
            os.write(answer, f"exec {words[0]!r}: {error}\n".encode())
    os._exit(127)
