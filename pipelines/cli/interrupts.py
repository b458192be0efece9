"""Ctrl-C and SIGTERM: what is asked for is done in a thread of its own.

A signal handler runs between two instructions of the main thread, which may hold the very lock that
the work needs: an event that is set while the main thread begins to wait for it is never seen. So a
handler only puts into a `SimpleQueue`, which is made for that.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import NoReturn


@contextmanager
def interruptible(
    stop: Callable[[signal.Signals], None], end_at_once: Callable[[], NoReturn]
) -> Iterator[None]:
    """Stop in an orderly way on Ctrl-C or SIGTERM while the context lasts.

    Args:
        stop: what to do, in a thread.
        end_at_once: what a second Ctrl-C does, in the handler.
    """
    asked: SimpleQueue[signal.Signals | None] = SimpleQueue()

    def handle(number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, lambda _number, _frame: end_at_once())
        asked.put(signal.Signals(number))

    def wait() -> None:
        while (number := asked.get()) is not None:
            stop(number)

    thread = threading.Thread(target=wait, name="interrupts", daemon=True)
    thread.start()
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        asked.put(None)
        thread.join()
