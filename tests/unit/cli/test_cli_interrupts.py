"""Ctrl-C at any moment: what it asks for is done once, whatever the main thread is about."""

from __future__ import annotations

import os
import signal
import threading
from typing import NoReturn

import pytest

from pipelines.cli.interrupts import interruptible


def _never() -> NoReturn:
    raise AssertionError


def test_an_interrupt_may_come_while_the_lock_of_the_event_is_held() -> None:
    """As it is for a moment when the main thread begins to wait: a handler that sets it hangs."""
    stopped = threading.Event()
    with interruptible(lambda _number: stopped.set(), _never):
        with stopped._cond:  # type: ignore[attr-defined]
            os.kill(os.getpid(), signal.SIGINT)
        assert stopped.wait(60)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_is_asked_for_is_done_in_a_thread_before_the_context_ends(
    number: signal.Signals,
) -> None:
    """Which signal it was is known there; afterwards the old handlers are back."""
    before = signal.getsignal(number)
    asked: list[tuple[signal.Signals, bool]] = []

    def stop(given: signal.Signals) -> None:
        asked.append((given, threading.current_thread() is threading.main_thread()))

    with interruptible(stop, _never):
        os.kill(os.getpid(), number)
    assert asked == [(number, False)]
    assert signal.getsignal(number) is before


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_second_interrupt_ends_at_once() -> None:
    """Whatever the first one still waits for."""
    released, ended = threading.Event(), threading.Event()

    def end() -> NoReturn:
        ended.set()
        raise SystemExit(130)

    def stop(_number: signal.Signals) -> None:
        released.wait()

    with interruptible(stop, end):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert ended.wait(60)
        released.set()


def test_an_interrupt_that_another_thread_gets_is_seen() -> None:
    """While the main thread waits for a lock Python calls no handler; the kernel takes anyone."""
    stopped, begun, over = threading.Event(), threading.Event(), threading.Event()

    def busy() -> None:
        begun.set()
        over.wait()

    other = threading.Thread(target=busy)
    other.start()
    begun.wait()
    with interruptible(lambda _number: stopped.set(), _never):
        threading.Timer(0.05, signal.pthread_kill, (other.ident, signal.SIGINT)).start()
        assert stopped.wait(60)
    over.set()
    other.join()
