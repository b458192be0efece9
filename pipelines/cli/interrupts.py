"""Ctrl-C and SIGTERM: what is asked for is done in a thread of its own.

The kernel gives a signal to any thread of the process that runs just then. Python's handler would
run in the main thread alone, and not before that does something: while it waits for a lock, a
Ctrl-C that another thread has got is never seen. It would also run between two instructions, where
the main thread may hold the very lock that the work needs. So it does nothing; a thread reads the
signals from the file that the interpreter writes each to at once (`signal.set_wakeup_fd`).
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import NoReturn

_END = 0
"""No signal: the context has ended."""

_MOST = 64


@contextmanager
def interruptible(
    stop: Callable[[signal.Signals], None], end_at_once: Callable[[], NoReturn]
) -> Iterator[None]:
    """Stop in an orderly way on Ctrl-C or SIGTERM while the context lasts.

    Args:
        stop: what to do, in a thread.
        end_at_once: what a second Ctrl-C does, in another one, whatever the first still waits for.
    """
    asked: SimpleQueue[signal.Signals | None] = SimpleQueue()
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    threads = [
        threading.Thread(target=target, args=arguments, name="interrupts", daemon=True)
        for target, arguments in (
            (_follow, (readable, asked, end_at_once)),
            (_work, (asked, stop)),
        )
    ]
    for thread in threads:
        thread.start()
    wakeup = signal.set_wakeup_fd(writable, warn_on_full_buffer=False)
    before = {number: signal.signal(number, _seen) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(wakeup)
        os.write(writable, bytes([_END]))
        for thread in threads:
            thread.join()
        os.close(readable)
        os.close(writable)


def _follow(
    readable: int, asked: SimpleQueue[signal.Signals | None], end_at_once: Callable[[], NoReturn]
) -> None:
    """Pass signals on; end at once on the second that is a Ctrl-C."""
    is_asked = False
    try:
        for number in _written(readable):
            if is_asked and number is signal.SIGINT:
                end_at_once()
            is_asked = True
            asked.put(number)
    finally:
        asked.put(None)


def _work(
    asked: SimpleQueue[signal.Signals | None], stop: Callable[[signal.Signals], None]
) -> None:
    while (number := asked.get()) is not None:
        stop(number)


def _seen(_number: int, _frame: object) -> None:
    """Do nothing: the signal has been written already."""


def _written(readable: int) -> Iterator[signal.Signals]:
    """Yield SIGINT and SIGTERM as they arrive, until the context ends."""
    while True:
        for number in os.read(readable, _MOST):
            if number == _END:
                return
            if number in {signal.SIGINT, signal.SIGTERM}:
                yield signal.Signals(number)
