"""Time, passed in so that nothing has to sleep in a test."""

from __future__ import annotations

import threading
import time
from typing import Protocol


class Clock(Protocol):
    """What the engine wants of time."""

    def now(self) -> float:
        """Return seconds since 1970."""
        ...

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait; True when `stop` was set meanwhile."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> float:
        """Return seconds since 1970."""
        return time.time()

    def wait(self, stop: threading.Event, seconds: float) -> bool:
        """Wait on the event."""
        return stop.wait(seconds)
