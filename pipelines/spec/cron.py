"""The times of EventBridge Scheduler: six fields of cron, or a rate.

Source: EventBridge Scheduler User Guide, "Schedule types on EventBridge Scheduler", and EventBridge
User Guide, "Cron expressions reference". Of the fields for days one is `?`; days of the week count
from 1, which is Sunday, know no steps, and `#` only alone.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from datetime import date
from typing import Final

from pipelines.frozen import frozen


class ScheduleSyntaxError(Exception):
    """A text that the scheduler would refuse.

    Args:
        problem: what is wrong.
        help: what to write instead.
        start: where the wrong part of the text begins.
        end: where it ends.
    """

    def __init__(self, problem: str, help: str | None, start: int, end: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.help = help
        self.start = start
        self.end = end


@frozen
class CronField:
    """One of the six fields.

    Args:
        name: what the guide calls it.
        first: its least number.
        last: its greatest number.
        names: words for numbers, the first one for `first`.
        special: what it may hold besides numbers, ranges and steps.
        stepped: whether it may hold steps, `/2`.
    """

    name: str
    first: int
    last: int
    names: tuple[str, ...] = ()
    special: re.Pattern[str] | None = None
    stepped: bool = True


_MONTHS = tuple(calendar.month_abbr[month].upper() for month in range(1, 13))
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_OF_MONTH = re.compile(r"L|LW|(?:[1-9]|[12][0-9]|3[01])W")
_OF_WEEK = re.compile(rf"L|(?:[1-7]|{'|'.join(_DAYS)})(?:L|#[1-5])")

FIELDS: Final = (
    CronField("minutes", 0, 59),
    CronField("hours", 0, 23),
    CronField("day of month", 1, 31, (), _OF_MONTH),
    CronField("month", 1, 12, _MONTHS),
    CronField("day of week", 1, 7, _DAYS, _OF_WEEK, stepped=False),
    CronField("year", 1970, 2199),
)
_ANY_DAY = "?"
_LONGEST = 256  # ScheduleExpression, with `cron()` or `rate()` around the text
_ITEM = re.compile(r"(?P<from>\*|[0-9A-Z]+)(?:-(?P<to>[0-9A-Z]+))?(?:/(?P<step>[0-9]+))?")
_WRAPPED = re.compile(r"\s*(cron|rate)\((.*)\)\s*")
_RATE = re.compile(r"\s*(?P<count>[0-9]+)\s+(?P<unit>minute|hour|day)(?P<plural>s?)\s*")


@frozen
class Cron:
    """A cron expression.

    Args:
        text: its six fields, one space between two.
        values: the numbers of each field, by its place; a field for days may have none.
        special: `L`, `15W`, `6#3` and the like, by the place of the field.
    """

    text: str
    values: Mapping[int, frozenset[int]]
    special: Mapping[int, tuple[str, ...]] = field(default_factory=dict)

    def next_day(self, after: date) -> date | None:
        """Return the first day, from one on, on which it fires; None where there is none."""
        return next((day for day in self._days(after.year) if day >= after), None)

    def _days(self, year: int) -> Iterator[date]:
        for one in sorted(number for number in self.values[5] if number >= year):
            for month in sorted(self.values[3]):
                for number in range(1, calendar.monthrange(one, month)[1] + 1):
                    day = date(one, month, number)
                    if self._fires_on(day):
                        yield day

    def _fires_on(self, day: date) -> bool:
        weekday = day.isoweekday() % 7 + 1
        return (
            day.day in self.values[2]
            or weekday in self.values[4]
            or any(_is_day_of_month(day, word) for word in self.special.get(2, ()))
            or any(_is_day_of_week(day, weekday, word) for word in self.special.get(4, ()))
        )


def parse_cron(text: str) -> Cron:
    """Read six fields of cron; `cron(…)` may stand around them.

    Raises:
        ScheduleSyntaxError: the scheduler would refuse it.
    """
    inner, offset = _unwrapped(text, "cron")
    words = [(found.group(), found.start() + offset) for found in re.finditer(r"\S+", inner)]
    if len(words) != len(FIELDS):
        raise _wrong_count([word for word, _ in words], text)
    values: dict[int, frozenset[int]] = {}
    special: dict[int, tuple[str, ...]] = {}
    for place, (word, start) in enumerate(words):
        values[place], special[place] = _read_field(FIELDS[place], word.upper(), start)
    of_month, of_week = words[2], words[4]
    if (of_month[0] == _ANY_DAY) == (of_week[0] == _ANY_DAY):
        found = "both are" if of_month[0] == _ANY_DAY else "neither is"
        raise ScheduleSyntaxError(
            f"exactly one of day of month and day of week must be `?`; {found}",
            "`0 3 * * ? *` is every day, `0 3 ? * MON *` every Monday",
            of_month[1],
            of_week[1] + len(of_week[0]),
        )
    return Cron(" ".join(word.upper() for word, _ in words), values, special)


def parse_rate(text: str) -> str:
    """Read `7 days`; `rate(…)` may stand around it.

    Returns:
        The value and its unit, one space between them.

    Raises:
        ScheduleSyntaxError: the scheduler would refuse it.
    """
    inner, _ = _unwrapped(text, "rate")
    found = _RATE.fullmatch(inner)
    if found is None:
        raise ScheduleSyntaxError(
            f"`{text}` is not a rate",
            "a whole number and minutes, hours or days, such as `7 days`",
            0,
            len(text),
        )
    count = int(found["count"])
    right = f"{count} {found['unit']}{'' if count == 1 else 's'}"
    if count == 0:
        raise ScheduleSyntaxError("a rate is at least 1", "such as `1 day`", 0, len(text))
    if right != f"{count} {found['unit']}{found['plural']}":
        raise ScheduleSyntaxError(
            f"`{inner.strip()}` is refused: the unit must agree with the number",
            f"write `{right}`",
            0,
            len(text),
        )
    return right


def _unwrapped(text: str, word: str) -> tuple[str, int]:
    found = _WRAPPED.fullmatch(text)
    inner = found[2] if found else text
    if len(inner) + len(f"{word}()") > _LONGEST:
        message = (
            f"the expression has {len(inner)} characters; {_LONGEST} with `{word}()` are allowed"
        )
        raise ScheduleSyntaxError(
            message, "write ranges and steps, or several schedules", 0, len(text)
        )
    if found is None:
        return text, 0
    if found[1] != word:
        raise ScheduleSyntaxError(
            f"`{text.strip()}` stands at `{word}`", f"write it at `{found[1]}`", 0, len(text)
        )
    return found[2], found.start(2)


def _wrong_count(words: list[str], text: str) -> ScheduleSyntaxError:
    advice = "minutes, hours, day of month, month, day of week, year, such as `0 3 * * ? *`"
    if len(words) == len(FIELDS) - 1:
        minute, hour, day, month, weekday = words
        # Elsewhere days of the week count from 0; by its name a day is the same everywhere.
        weekday = re.sub(r"(?<![#/\d])[0-7](?!\d)", lambda found: _DAYS[int(found[0]) % 7], weekday)
        days = (day, _ANY_DAY) if weekday in ("*", _ANY_DAY) else (_ANY_DAY, weekday)
        example = f"{minute} {hour} {days[0]} {month} {days[1]} *"
        advice = f"the sixth is the year, such as `{example}`"
    number = f"{len(words)} field" if len(words) == 1 else f"{len(words)} fields"
    return ScheduleSyntaxError(f"`{text}` has {number}, not 6", advice, 0, len(text))


def _read_field(field: CronField, word: str, start: int) -> tuple[frozenset[int], tuple[str, ...]]:
    """Return the numbers of a field, and what is special in it."""
    if word == _ANY_DAY and field.special is not None:
        return frozenset(), ()
    numbers: set[int] = set()
    special = []
    items = word.split(",")
    for item in items:
        found = _numbers(field, item)
        if field.special is not None and field.special.fullmatch(item):
            special.append(item)
        elif not found:
            advice = _advice(field)
            message = f"`{item}` cannot be a value of the field {field.name}"
            raise ScheduleSyntaxError(message, advice, start, start + len(word))
        numbers |= found
    if "#" in word and len(items) > 1:
        message = f"a day with `#` stands alone in the field {field.name}"
        advice = "write two schedules, such as `0 3 ? * 2#1 *` and `0 3 ? * 2#3 *`"
        raise ScheduleSyntaxError(message, advice, start, start + len(word))
    return frozenset(numbers), tuple(special)


def _advice(field: CronField) -> str:
    names = f" or {field.names[0]} to {field.names[-1]}" if field.names else ""
    lists = "`1-3`, `1,3` or `*/2`" if field.stepped else "`1-3` or `1,3`"
    return f"{field.first} to {field.last}{names}, `*`, {lists}"


def _numbers(field: CronField, item: str) -> set[int]:
    """Return the numbers of a number, a range or a step; none where it is not one."""
    found = _ITEM.fullmatch(item)
    step = int(found["step"] or 1) if found else 0
    if found is None or not 1 <= step <= field.last or (found["from"] == "*" and found["to"]):
        return set()
    if found["step"] and not field.stepped:
        return set()
    ends = _ends(field, found)
    if ends is None:
        return set()
    first, last = ends
    if first > last:  # over the end, such as FRI-MON
        every = [*range(first, field.last + 1), *range(field.first, last + 1)]
        return set(every[::step])
    return set(range(first, last + 1, step))


def _ends(field: CronField, item: re.Match[str]) -> tuple[int, int] | None:
    if item["from"] == "*":
        return field.first, field.last
    first = _number(field, item["from"])
    open_end = field.last if item["step"] else first
    last = _number(field, item["to"]) if item["to"] else open_end
    return None if first is None or last is None else (first, last)


def _number(field: CronField, word: str) -> int | None:
    if word in field.names:
        return field.names.index(word) + field.first
    number = int(word) if word.isdecimal() else -1
    return number if field.first <= number <= field.last else None


def _is_day_of_month(day: date, word: str) -> bool:
    last = calendar.monthrange(day.year, day.month)[1]
    if word == "L":
        return day.day == last
    wanted = last if word == "LW" else int(word[:-1])
    if wanted > last:
        return False
    weekday = calendar.weekday(day.year, day.month, wanted)
    if weekday == calendar.SATURDAY:
        wanted += -1 if wanted > 1 else 2
    elif weekday == calendar.SUNDAY:
        wanted += 1 if wanted < last else -2
    return day.day == wanted


def _is_day_of_week(day: date, weekday: int, word: str) -> bool:
    if word == "L":
        return weekday == len(_DAYS)
    name, _, nth = word.removesuffix("L").partition("#")
    wanted = _DAYS.index(name) + 1 if name in _DAYS else int(name)
    if weekday != wanted:
        return False
    if nth:
        return (day.day - 1) // 7 + 1 == int(nth)
    return day.day + 7 > calendar.monthrange(day.year, day.month)[1]
