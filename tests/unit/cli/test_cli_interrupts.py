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


def test_a_second_interrupt_ends_at_once() -> None:
    """In the handler, whatever the first one still waits for."""
    ended: list[str] = []

    def end() -> NoReturn:
        ended.append("ended")
        raise SystemExit(130)

    with interruptible(lambda _number: None, end):
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(SystemExit):
            os.kill(os.getpid(), signal.SIGINT)
    assert ended == ["ended"]
