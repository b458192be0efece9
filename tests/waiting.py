"""Waiting for a state that another process or thread brings about, with an end of its own."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

SECONDS = 120
"""Long enough for a machine that does ten other things at once."""


def until(done: Callable[[], object], seconds: float = SECONDS) -> None:
    """Look again and again until something holds.

    Raises:
        AssertionError: it never did.
    """
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "it never came to that"
        threading.Event().wait(0.005)
