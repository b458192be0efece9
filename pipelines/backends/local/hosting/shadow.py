"""Copies of requests for a shadow variant: its answers are thrown away, its failures too."""

from __future__ import annotations

import random
import threading
from contextlib import suppress
from typing import Protocol

from pipelines.backends.local.hosting.values import (
    FleetBusy,
    FleetError,
    FleetSpec,
    Invocation,
    InvocationResponse,
)
from pipelines.backends.local.waiting import Waiting

_MOST_WAITING = 64
"""Copies that wait or are processed at once; further ones are dropped."""


class ShadowFleet(Protocol):
    """What is needed of a `fleet.Fleet`."""

    async def answer(self, invocation: Invocation, waiting: Waiting) -> InvocationResponse:
        """Process a request."""

    def stop(self) -> None:
        """Let running requests finish, then stop."""


class Mirror:
    """Sends a share of the requests to a fleet, too, each beside the request itself.

    Args:
        fleet: the fleet of the shadow variant.
        spec: what it serves; its log gets what went wrong.
        share: the share of the requests, 0 to 1.
    """

    def __init__(self, fleet: ShadowFleet, spec: FleetSpec, share: float) -> None:
        self._fleet = fleet
        self._spec = spec
        self._share = share
        self._free = threading.Semaphore(_MOST_WAITING)

    def copy(self, invocation: Invocation, waiting: Waiting) -> None:
        """Send a copy of a request; return at once, whatever becomes of it."""
        if random.random() >= self._share or not self._free.acquire(blocking=False):  # noqa: S311 - a share, not a secret
            return
        try:
            waiting.start(self._send(invocation, waiting))
        except RuntimeError:  # this process may start no more threads
            self._free.release()

    def stop(self) -> None:
        """Stop the fleet after its running requests."""
        self._fleet.stop()

    async def _send(self, invocation: Invocation, waiting: Waiting) -> None:
        try:
            response = await self._fleet.answer(invocation, waiting)
            if response.status >= 400:
                self._log(f"a copy of a request was refused with {response.status}")
        except FleetBusy:
            self._log("a copy of a request was dropped: all instances are busy")
        except FleetError as error:
            self._log(f"a copy of a request was not answered: {error.reason}")
        finally:
            self._free.release()

    def _log(self, text: str) -> None:
        with suppress(OSError), self._spec.log.open("a", encoding="utf-8") as log:
            log.write(f"{text}\n")
