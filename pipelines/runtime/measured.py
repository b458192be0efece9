"""A rank's command → the same command, and a file with what it has used.

Read from the bundle by what a launcher starts as a rank: it imports nothing of ours. The rank is
its child and has the same files open, so that nothing lies between it and the log. It leads a
process group of its own, every signal is passed on to that, and this process ends as it has ended.

What is not measured: a rank whose launcher kills this process. The rank dies with it.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Iterator, NoReturn

VARIABLE = "PIPELINES_RANK"
"""The path of this file, the folder of the files, and the words before those of the launcher."""
START = f"-cimport json, os; exec(open(json.loads(os.environ[{VARIABLE!r}])[0]).read())"
"""One word, since torchrun names a job by the first one that is no option."""

_MPI, _TORCH = "OMPI_COMM_WORLD_RANK", "RANK"
_LOCAL = "LOCAL_RANK"
_FAULTS = {"SIGKILL", "SIGSTOP", "SIGSEGV", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP", "SIGSYS"}
"""What is not passed on: nobody can, or it means this process itself."""
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LINUX = sys.platform == "linux"


def main() -> NoReturn:
    """Run the rank to its end, and write what it used before and after it."""
    _, folder, first = json.loads(os.environ.pop(VARIABLE))
    passed = {one for one in signal.Signals if one.name not in _FAULTS}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, passed)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)  # else its end may go unnoticed
    began, read = time.monotonic(), _bytes_read()
    file = _place(folder)
    _write(file, {})
    parent = os.getpid()
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    pid = os.fork()
    if pid == 0:
        _become([*first, *sys.argv[1:]], parent, before)
    _lead_group(pid)
    status = _end_of(pid, passed)
    _write(file, {"wall_s": round(time.monotonic() - began, 2), **_used(read)})
    if _MPI in os.environ:
        _end_the_rest(pid)
    _end_as(status)


def _place(folder: str) -> tuple[str, dict[str, int]] | None:
    """Return the file of this rank, and who it is; None where the launcher does not say."""
    rank = os.environ.get(_MPI) or os.environ.get(_TORCH, "")
    try:
        who = {"rank": int(rank), "local_rank": int(os.environ.get(_LOCAL, ""))}
    except ValueError:
        return None
    return os.path.join(folder, f"{who['rank']}.json"), who  # noqa: PTH118 - the path is text


def _write(file: tuple[str, dict[str, int]] | None, used: dict[str, Any]) -> None:
    if file is None:
        return
    path, who = file
    try:
        with open(path, "w", encoding="utf-8") as opened:  # noqa: PTH123 - as above
            json.dump({**who, **used}, opened)
    except OSError:
        return  # the disk is full: the rank is none of its concern


def _used(before: tuple[int, int]) -> dict[str, Any]:
    """Return what the rank has used, and its children that it has waited for."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    size = spent.ru_maxrss // (1024 if _LINUX else 2**20)
    found = {"cpu_s": round(spent.ru_utime + spent.ru_stime, 2), "memory_mb": size}
    called, fetched = (now - then for now, then in zip(_bytes_read(), before))
    if max(called, fetched) > 0:
        found["read_mb"] = max(called, fetched) // 2**20
    if fetched > called:
        found["called_mb"] = called // 2**20
    return found


def _bytes_read() -> tuple[int, int]:
    """Return how much this process and its ended children have read; 0 if nothing counts it.

    First what was asked for by calls, then what came from a disk: of a file that several ranks have
    mapped, such as a library, the whole counts for the one that was first.
    """
    try:
        with open("/proc/self/io", "rb") as file:  # noqa: PTH123 - as above
            counted = dict(line.split(b": ") for line in file.read().splitlines())
        return int(counted.get(b"rchar", 0)), int(counted.get(b"read_bytes", 0))
    except (OSError, ValueError):
        return 0, 0


def _become(argv: list[str], parent: int, mask: Any) -> NoReturn:
    """Turn the forked child into the rank, as the launcher would have started it."""
    try:
        os.setpgid(0, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)  # Python's own are not the launcher's
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # else one that waits would raise here
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        os.execvp(argv[0], argv)  # noqa: S606 - deliberately without a shell
    except OSError as error:
        os.write(2, f"cannot start {argv[0]}: {error}\n".encode("utf-8", "replace"))
    finally:
        os._exit(127)


def _lead_group(pid: int) -> None:
    try:
        os.setpgid(pid, pid)
    except OSError:
        return  # it has already executed, in the group that it created itself


def _end_of(pid: int, passed: set[signal.Signals]) -> int:
    """Pass signals on until the rank has ended; return its status."""
    while True:
        number = signal.sigwait(passed)
        if number != signal.SIGCHLD:
            _signal_group(pid, number)
            continue
        ended = -1
        while ended:
            ended, status = os.waitpid(-1, os.WNOHANG)
            if ended == pid:
                return status


def _end_the_rest(pid: int) -> None:
    """Kill what the rank has left behind: mpirun waits for whoever has the log open."""
    _signal_group(pid, signal.SIGKILL)
    while True:
        for child in _children():
            try:
                os.kill(child, signal.SIGKILL)
            except OSError:
                continue  # it has just ended
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            return


def _children() -> Iterator[int]:
    """Yield the children of this process, which adopts those of its own; none without /proc."""
    for name in os.listdir("/proc") if _LINUX else ():  # noqa: PTH208 - the names alone
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:  # noqa: PTH123 - as above
                parent = file.read().rpartition(b")")[2].split()[1]
        except (OSError, IndexError):
            continue  # it has just ended
        if int(parent) == os.getpid():
            yield int(name)


def _prctl(option: int, value: int) -> None:
    if _LINUX:
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _signal_group(pid: int, number: int) -> None:
    try:
        os.killpg(pid, number)
    except OSError:
        return  # nobody is left in it


def _end_as(status: int) -> NoReturn:
    """End with the exit code of the rank, or by the signal that ended it."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the rank has dumped its own
        if number != signal.SIGKILL:
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
        os._exit(128 + number)
    os._exit(os.WEXITSTATUS(status))


if __name__ == "__main__":
    main()
