"""Processes that end with the tool that has started them."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from types import FrameType


class Children:
    """Processes, each with a session of its own, that get the signals that end this one.

    A handler that raises would lose a process that has been started and not yet been returned, so
    the signal is kept, and sent to what is started later as well.
    """

    def __init__(self) -> None:
        """Start with none."""
        self.ended_by: int | None = None
        self._started: list[subprocess.Popen[str]] = []

    def start(self, words: tuple[str, ...], **options: object) -> subprocess.Popen[str]:
        """Start a process; `options` are those of Popen."""
        process = subprocess.Popen(words, start_new_session=True, text=True, **options)  # type: ignore[call-overload]
        self._started.append(process)
        if self.ended_by is not None:
            send(process, self.ended_by)
        return process  # type: ignore[no-any-return]

    def end(self, number: int, _frame: FrameType | None = None) -> None:
        """Send a signal to all: a handler of signals."""
        self.ended_by = number
        for process in self._started:
            send(process, number)


def send(process: subprocess.Popen[str], number: int) -> None:
    """Send a signal to a process and to what it has started, if it still runs."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


@contextlib.contextmanager
def ended_with_us() -> Iterator[Children]:
    """Let SIGINT and SIGTERM end the processes that are started, instead of this one."""
    children = Children()
    numbers = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, children.end) for number in numbers]
    try:
        yield children
    finally:
        for number, handler in zip(numbers, before, strict=True):
            signal.signal(number, handler)
