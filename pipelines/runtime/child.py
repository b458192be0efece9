"""An argument list → a finished process tree: output passed on, signals passed down.

The child leads a process group of its own and dies with this process. When it has ended, all
processes that it left behind are killed, including those in sessions of their own (torchrun's
workers): on Linux this process is their subreaper.
"""

from __future__ import annotations

import ctypes
import os
import select
import signal
import sys
import time
from pathlib import Path

from .descendants import end_descendants, signal_group

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Callable, Mapping, NoReturn, Sequence
    from typing import NamedTuple as Record
else:
    from .record import Record

GRACE_SECONDS = 110.0  # SageMaker kills 120 s after SIGTERM (FACTS 3.4)
GRACE_VARIABLE = "PIPELINES_GRACE_SECONDS"
TERMINAL_VARIABLE = "PIPELINES_TERMINAL"
"""Set where a job runs at a terminal: JSON, the words between Python and the script."""
_LOST_SECONDS = 5.0  # for a child to end by itself when what it needs is gone
_TAIL_BYTES = 64 * 1024
_CHUNK = 64 * 1024
_DRAIN_MILLISECONDS = 200
_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36
_LIBC = ctypes.CDLL(None)


class Command(Record):
    """What to start.

    Args:
        argv: its arguments.
        environment: the whole environment.
        folder: the user's code.
        within: the folder of it that is the working directory; empty for all of it.
    """

    argv: Sequence[str]
    environment: Mapping[str, str]
    folder: Path
    within: str = ""

    @property
    def working(self) -> Path:
        """The working directory."""
        return self.folder / self.within


class Ended(Record):
    """How a child ended.

    Args:
        code: its exit code, negative for the signal that ended it.
        tail: the last 64 KiB of its output and errors.
        stopped: the signal that asked this process to stop, or None.
    """

    code: int
    tail: str
    stopped: int | None

    @property
    def exit_code(self) -> int:
        """The exit code to pass on: 128 + n for signal n, as shells do."""
        return self.code if self.code >= 0 else 128 - self.code


def run(
    command: Command,
    needed: Sequence[socket.socket] = (),
    deliver: Callable[[int, int], None] = signal_group,
) -> Ended:
    """Run a command to its end, copying its output to this process's stdout immediately.

    A command that cannot be started ends with code 127, and its output has the reason.

    Args:
        command: what to start.
        needed: connections that say nothing; the command is ended when one of them is closed.
        deliver: passes a signal on, given the process id of the command and the signal.
    """
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)
    with _Signals() as signals:
        reader, writer = os.pipe()
        try:
            pid = _start(command, writer)
        finally:
            os.close(writer)
        try:
            return _Watch(pid, reader, signals, deliver).to_the_end(needed)
        finally:
            end_descendants(pid)
            os.close(reader)


class _Signals:
    """Signals as bytes of a pipe, while the child runs."""

    def __enter__(self) -> _Signals:  # noqa: PYI034 - `Self` is newer than Python 3.7
        self.reader, self._writer = os.pipe()
        os.set_blocking(self.reader, False)
        os.set_blocking(self._writer, False)
        self._wakeup = signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        self._handlers = {
            number: signal.signal(number, lambda _number, _frame: None)
            for number in (*_FORWARDED, signal.SIGCHLD)
        }
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup)
        os.close(self.reader)
        os.close(self._writer)

    def received(self) -> set[int]:
        """Return the numbers of the signals received since the last call."""
        try:
            return set(os.read(self.reader, _CHUNK))
        except BlockingIOError:
            return set()


class _Watch:
    """The loop over one child's output, its end, what it needs, and signals to forward."""

    def __init__(
        self, pid: int, reader: int, signals: _Signals, deliver: Callable[[int, int], None]
    ) -> None:
        self._pid = pid
        self._reader = reader
        self._signals = signals
        self._deliver = deliver
        self._tail = bytearray()
        self._stopped: int | None = None
        self._kill_at: float | None = None
        self._code: int | None = None
        self._poll = select.poll()
        self._poll.register(reader, select.POLLIN)

    def to_the_end(self, needed: Sequence[socket.socket]) -> Ended:
        self._poll.register(self._signals.reader, select.POLLIN)
        connections = {one.fileno() for one in needed}
        for connection in connections:
            self._poll.register(connection, select.POLLIN)
        while self._code is None:
            ready = {descriptor for descriptor, _ in self._poll.poll(self._patience())}
            if self._reader in ready:
                self._pass_on()
            if self._signals.reader in ready:
                self._obey(self._signals.received())
            for lost in ready & connections:
                self._poll.unregister(lost)
                self._end_soon()
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                self._kill_at = None
                end_descendants(self._pid, reap=False)
            self._code = _reap(self._pid)
        end_descendants(self._pid)
        self._drain()
        return Ended(self._code, self._tail.decode("utf-8", "replace"), self._stopped)

    def _patience(self) -> float | None:
        if self._kill_at is None:
            return None
        return max(0.0, self._kill_at - time.monotonic()) * 1000 + 1

    def _obey(self, numbers: set[int]) -> None:
        for number in numbers & set(_FORWARDED):
            if self._stopped is None:
                grace = float(os.environ.get(GRACE_VARIABLE) or GRACE_SECONDS)
                self._kill_at = time.monotonic() + grace
            self._stopped = number
            self._deliver(self._pid, number)

    def _end_soon(self) -> None:
        """End the child, whose work nobody needs any more."""
        signal_group(self._pid, signal.SIGTERM)
        soon = time.monotonic() + _LOST_SECONDS
        self._kill_at = soon if self._kill_at is None else min(self._kill_at, soon)

    def _pass_on(self) -> bool:
        """Copy the available output; return whether there may be more."""
        data = os.read(self._reader, _CHUNK)
        if not data:
            self._poll.unregister(self._reader)
            return False
        self._tail += data
        del self._tail[:-_TAIL_BYTES]
        _write_all(data)
        return True

    def _drain(self) -> None:
        """Copy what is left in the pipe after its writers have ended."""
        rest = select.poll()
        rest.register(self._reader, select.POLLIN)
        try:
            while rest.poll(_DRAIN_MILLISECONDS) and self._pass_on():
                pass
        except KeyError:
            return  # its end was reached before


def _write_all(data: bytes) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(1, view) :]
    except BrokenPipeError:
        return  # nobody reads the log any more; the job continues


def _start(command: Command, output: int) -> int:
    """Fork and execute; both sides set the process group, so that there is no gap."""
    argv = [os.fsencode(word) for word in command.argv]
    environment = {os.fsencode(k): os.fsencode(v) for k, v in command.environment.items()}
    parent = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    try:
        pid = os.fork()
        if pid == 0:
            _become(argv, environment, command.working, (parent, output))
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    _lead_group(pid)
    return pid


def _lead_group(pid: int) -> None:
    try:
        os.setpgid(pid, pid)
    except OSError:
        return  # it has already executed, in the group that it created itself


def _become(
    argv: list[bytes], environment: dict[bytes, bytes], folder: Path, ends: tuple[int, int]
) -> NoReturn:
    """Turn the forked child into the command; never returns into the caller's code."""
    parent, output = ends
    try:
        os.setpgid(0, 0)
        _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output, 1)
        os.dup2(output, 2)
        for number in (*_FORWARDED, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
        os.chdir(folder)
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - deliberately without a shell
    except OSError as error:
        os.write(2, f"cannot start {os.fsdecode(argv[0])}: {error}\n".encode())
    finally:
        os._exit(127)


def _reap(pid: int) -> int | None:
    """Reap ended children, including adopted ones; return the code of `pid` if it has ended."""
    code = None
    while True:
        try:
            ended, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return code
        if ended == 0:
            return code
        if ended == pid:
            code = -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        _LIBC.prctl(option, value, 0, 0, 0)
