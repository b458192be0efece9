"""The processes below a launcher: watched, ended and reaped, whatever they do to get away."""

from __future__ import annotations

import os
import signal
import sys

from pipelines.backends.local.jobs.launcher.namespaces import call
from pipelines.runtime.child import descendants

LINUX = sys.platform == "linux"
WATCHED = (
    signal.SIGCHLD,
    signal.SIGTERM,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGALRM,
)
"""The signals that a launcher waits for, blocked from its first moment on."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def die_with_parent(number: signal.Signals) -> None:
    """Be sent a signal when the parent ends; only Linux does that."""
    if LINUX:
        call("prctl", _PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def adopt(parent: int) -> None:
    """Become the reaper of all descendants, and hear of the parent's death."""
    die_with_parent(signal.SIGUSR1)
    if LINUX:
        call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    else:
        signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
    if os.getppid() != parent:
        os._exit(1)


def hold() -> None:
    """Keep the network there until every other host has joined it: SIGUSR2 says so."""
    while (number := signal.sigwait(WATCHED)) != signal.SIGUSR2:
        if number in (signal.SIGTERM, signal.SIGUSR1):
            os._exit(1)


def watch(main: int, parent: int) -> int:
    """Wait for the main process, then end whatever it left; give its wait status."""
    status = None
    while status is None:
        number = signal.sigwait(WATCHED)
        if number == signal.SIGCHLD:
            status = _reap(main)
        elif number == signal.SIGTERM:
            os.kill(main, signal.SIGTERM)
        elif number == signal.SIGUSR1 or os.getppid() != parent:
            break
    rest = _kill_all(main)
    return rest or 0 if status is None else status


def _kill_all(main: int) -> int | None:
    """Kill and reap everything below this process; give the main process's wait status."""
    status = _reap(main)
    while _has_children():
        for target in list(descendants()) if LINUX else [-main]:
            try:
                os.kill(target, signal.SIGKILL)
            except (ProcessLookupError, PermissionError):
                continue
        process, ended = os.waitpid(-1, 0)
        if process == main:
            status = ended
    return status


def _reap(main: int) -> int | None:
    """Reap what has ended; give the main process's wait status once it is among them."""
    status = None
    while True:
        try:
            process, ended = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if process == 0:
            return status
        if process == main:
            status = ended


def _has_children() -> bool:
    """Tell whether any process is left below this one, the subreaper: looked up without /proc."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
