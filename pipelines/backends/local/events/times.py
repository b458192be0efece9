"""A schedule expression of EventBridge → the moments at which it fires.

Sources: EventBridge Scheduler User Guide, "Schedule types in EventBridge Scheduler"; EventBridge
User Guide, "Creating an Amazon EventBridge rule that runs on a schedule", whose times are all of
UTC. A local time that a change of the clock skips does not fire; one that it repeats fires once. In
an account a rate counts from the creation of its schedule; here, without a `StartDate`, from 1970,
so that a server that is started again changes none of its times.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final, Protocol

from pipelines.frozen import frozen
from pipelines.spec.cron import Cron, ScheduleSyntaxError, parse_cron, parse_rate

_ONE_DAY: Final = timedelta(days=1)
_INSTANT: Final = timedelta(microseconds=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_CALL: Final = re.compile(r"(cron|rate|at)\((.*)\)")
_MOMENT: Final = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}")


class Times(Protocol):
    """When something fires."""

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment after one, in UTC; None where there is none."""


@frozen
class CronTimes:
    """The moments of a cron expression in a time zone."""

    cron: Cron
    zone: tzinfo

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment after one, in UTC; None where there is none."""
        day = self.cron.next_day(after.astimezone(self.zone).date())
        while day is not None:
            for hour in sorted(self.cron.values[1]):
                for minute in sorted(self.cron.values[0]):
                    local = datetime(day.year, day.month, day.day, hour, minute)  # noqa: DTZ001 - of its zone, below
                    moment = _in_utc(local, self.zone)
                    if moment is not None and moment > after:
                        return moment
            day = self.cron.next_day(day + _ONE_DAY)
        return None


@frozen
class RateTimes:
    """Moments that are equally far apart.

    Args:
        period: how far.
        first: the first one.
    """

    period: timedelta
    first: datetime = _EPOCH

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment after one, in UTC; None where there is none."""
        try:
            return self.first + max((after - self.first) // self.period + 1, 0) * self.period
        except OverflowError:
            return None


@frozen
class OneTime:
    """A single moment."""

    moment: datetime

    def next(self, after: datetime) -> datetime | None:
        """Return it, unless it is over."""
        return self.moment if self.moment > after else None


@frozen
class Bounded:
    """Moments between a start and an end, both included."""

    times: Times
    start: datetime | None
    end: datetime | None

    def next(self, after: datetime) -> datetime | None:
        """Return the first moment after one, in UTC; None where there is none."""
        if self.start is not None and self.start > after:
            after = self.start - _INSTANT
        found = self.times.next(after)
        return None if found is None or (self.end is not None and found > self.end) else found


def read_times(
    expression: str, zone: tzinfo = UTC, start: datetime | None = None, end: datetime | None = None
) -> Times:
    """Read a schedule expression: `cron(…)`, `rate(…)` or `at(…)`.

    Args:
        expression: the expression.
        zone: the time zone of a `cron` and an `at`.
        start: the first moment that may fire; a single moment has none.
        end: the last one.

    Raises:
        ScheduleSyntaxError: EventBridge would refuse it.
    """
    call = _CALL.fullmatch(expression.strip())
    match call and call[1]:
        case "cron":
            return Bounded(CronTimes(parse_cron(expression), zone), start, end)
        case "rate":
            return Bounded(RateTimes(_period(expression), start or _EPOCH), start, end)
        case "at" if call is not None and _MOMENT.fullmatch(call[2]):
            return OneTime(_single(call[2], zone))
        case _:
            raise ScheduleSyntaxError(
                f"`{expression}` is not a schedule expression",
                "such as `cron(0 3 * * ? *)`, `rate(7 days)` or `at(2027-01-31T09:00:00)`",
                0,
                len(expression),
            )


def _in_utc(local: datetime, zone: tzinfo) -> datetime | None:
    """Return a local time in UTC; None where a change of the clock skips it."""
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    return moment if moment.astimezone(zone).replace(tzinfo=None) == local else None


def _period(expression: str) -> timedelta:
    count, unit = parse_rate(expression).split()
    try:
        return timedelta(**{f"{unit.removesuffix('s')}s": int(count)})
    except OverflowError:
        raise ScheduleSyntaxError(
            f"`{expression}` is longer than a calendar", "such as `7 days`", 0, len(expression)
        ) from None


def _single(text: str, zone: tzinfo) -> datetime:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ScheduleSyntaxError(
            f"`{text}` is not a date and a time", "such as `2027-01-31T09:00:00`", 0, len(text)
        ) from None
