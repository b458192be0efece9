"""The processes below a launcher: watched, killed and reaped, however they detach themselves."""

from __future__ import annotations

import os
import signal
import sys

from pipelines.backends.local.jobs.launcher.namespaces import call
from pipelines.runtime.descendants import descendants

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
"""The signals that a launcher waits for; blocked from its start."""
_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_CHILD_SUBREAPER = 1, 4, 36


def die_with_parent(number: signal.Signals) -> None:
    """Ask for a signal when the parent exits; only Linux supports that."""
    if LINUX:
        call("prctl", _PR_SET_PDEATHSIG, int(number), 0, 0, 0)


def conceal_process() -> None:
    """Keep other processes of this user from reading this one's environment and memory.

    Only Linux supports that; root's processes can still read them.
    """
    if LINUX:
        call("prctl", _PR_SET_DUMPABLE, 0, 0, 0, 0)


def become_subreaper(parent: int) -> None:
    """Become the reaper of all descendants, signalled when the parent dies."""
    die_with_parent(signal.SIGUSR1)
    if LINUX:
        call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    else:
        signal.setitimer(signal.ITIMER_REAL, 0.5, 0.5)
    if os.getppid() != parent:
        os._exit(1)


def hold_network() -> None:
    """Keep the network alive until every other host has joined it, which SIGUSR2 announces."""
    while (number := signal.sigwait(WATCHED)) != signal.SIGUSR2:
        if number in (signal.SIGTERM, signal.SIGUSR1):
            os._exit(1)


def watch(main: int, parent: int) -> int:
    """Wait for the main process, then kill whatever it left; return its wait status."""
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
    """Kill and reap everything below this process; return the main process's wait status."""
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
    """Reap what has ended; return the main process's wait status if it is among them."""
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
    """Return whether any process is left below this one, the subreaper, without reading /proc."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return False
    return True
