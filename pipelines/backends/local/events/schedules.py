"""EventBridge's schedules: what starts at which times, and the thread that waits for them."""

from __future__ import annotations

import logging
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from pipelines.backends.local.engine.parts import Clock, SystemClock
from pipelines.backends.local.events.delivery import Delivery
from pipelines.backends.local.events.rules import Target
from pipelines.backends.local.events.times import Times
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

_LONGEST_PAUSE: Final = 20.0
"""A wait does not count the time for which the machine sleeps."""
_LATE: Final = timedelta(minutes=1)
"""EventBridge fires within the minute."""
_NAMESPACE: Final = uuid.UUID("6f2d6d5e-4a0e-5d53-9a1b-0d3b0c3c2f11")

_log = logging.getLogger("pipelines.api")


@frozen
class Schedule:
    """A schedule that is enabled, or the schedule of a rule.

    Args:
        name: its name.
        arn: what it is.
        times: when it fires.
        targets: what it starts then.
    """

    name: str
    arn: str
    times: Times
    targets: tuple[Target, ...]

    def event(self, moment: datetime) -> JsonObject:
        """Return what targets are handed for a moment; the same one for the same moment."""
        _, _, _, region, account, _ = self.arn.split(":", 5)
        time = _written(moment)
        return {
            "version": "0",
            "id": str(uuid.uuid5(_NAMESPACE, f"{self.arn} {time}")),
            "detail-type": "Scheduled Event",
            "source": "aws.events",
            "account": account,
            "time": time,
            "region": region,
            "resources": [self.arn],
            "detail": {},
        }


class ScheduleRunner:
    """Starts what is due, in a thread of its own, until it is closed.

    Times that passed before it began are not made up for. Of those that pass while the machine
    sleeps, each schedule fires once.

    Args:
        schedules: what starts when.
        delivery: hands events to targets.
        say: writes a line of the server's log.
        clock: the time; None for this machine's.
    """

    def __init__(
        self,
        schedules: tuple[Schedule, ...],
        delivery: Delivery,
        say: Callable[[str], None],
        clock: Clock | None = None,
    ) -> None:
        self._schedules = schedules
        self._delivery = delivery
        self._say = say
        self._clock = clock or SystemClock()
        self._seen = self._now()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self.run, name="schedules", daemon=True)

    def start(self) -> None:
        """Begin to wait."""
        self._thread.start()

    def close(self) -> None:
        """Start nothing any more."""
        self._closed.set()
        self._thread.join()

    def run(self) -> None:
        """Wait for what is due and start it, until it is closed."""
        while not self._clock.wait(self._closed, self._pause()):
            before, self._seen = self._seen, self._now()
            for schedule in self._schedules:
                due = schedule.times.next(before)
                if due is not None and due <= self._seen:
                    self._fire(schedule, due)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)

    def _pause(self) -> float:
        """Return how long nothing is due, in seconds."""
        moments = (schedule.times.next(self._seen) for schedule in self._schedules)
        waits = ((one - self._now()).total_seconds() for one in moments if one is not None)
        return max(min([_LONGEST_PAUSE, *waits]), 0.0)

    def _fire(self, schedule: Schedule, due: datetime) -> None:
        event = schedule.event(due)
        late = f" (was due at {event['time']})" if self._seen - due > _LATE else ""
        for target in schedule.targets:
            try:
                outcome = self._delivery.outcome(schedule.name, target, event)
            except Exception:  # noqa: BLE001 - the outermost frame of this thread
                _log.exception("internal error while %s fired", schedule.name)
            else:
                self._say(f"{schedule.name}{late}: {outcome}")


def _written(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
