"""One CloudFormation template → its EventBridge rules and schedules, or where they are wrong.

A rule may have a pattern, a schedule or both; `AWS::Scheduler::Schedule` is a schedule alone, of a
time zone, whose target gets what is written: there is no event to take a value from.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pipelines.backends.local.events import patterns
from pipelines.backends.local.events.patterns import CODE
from pipelines.backends.local.events.rules import Rule, Target
from pipelines.backends.local.events.schedules import Schedule
from pipelines.backends.local.events.targets import TargetReader
from pipelines.backends.local.events.template import Template, UnreadableError, unreadable
from pipelines.backends.local.events.times import Times, read_times
from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json, JsonObject
from pipelines.spec.cron import ScheduleSyntaxError

_RULE: Final = "AWS::Events::Rule"
_SCHEDULE: Final = "AWS::Scheduler::Schedule"
_EXPRESSION: Final = "ScheduleExpression"
_ZONE: Final = "ScheduleExpressionTimezone"
_YEARS: Final = range(1970, 2200)
"""Those of a cron expression."""


class TemplateReader:
    """Reads the rules and schedules of one template.

    Args:
        template: the template.

    Attributes:
        findings: what is wrong with them.
    """

    def __init__(self, template: Template) -> None:
        self._template = template
        self._targets = TargetReader(template)
        self.findings: list[Finding] = []

    def read(self) -> Iterator[Rule | Schedule]:
        """Yield those that can be read."""
        if not self._template.resources:
            self._find(("Resources",), "this file is not a CloudFormation template: no `Resources`")
        for logical, resource in self._template.resources.items():
            type_ = resource.get("Type") if isinstance(resource, dict) else None
            if type_ in (_RULE, _SCHEDULE):
                yield from self._read(logical, resource)

    def _read(self, logical: str, resource: JsonObject) -> list[Rule | Schedule]:
        """Return what a resource has; nothing where there is nothing or it cannot be read."""
        path: Path = ("Resources", logical, "Properties")
        written = resource.get("Properties")
        is_rule = resource["Type"] == _RULE
        try:
            if not isinstance(written, dict):
                noun = "rule" if is_rule else "schedule"
                raise unreadable(path[:2], f"a {noun} must have `Properties`")
            if not self._template.is_made(logical):
                return []
            values = _Properties(self._template, written, path)
            if values["State"] == "DISABLED":
                return []
            name = str(values["Name"] or logical)
            return [*self._rule(name, values)] if is_rule else [self._schedule(name, values)]
        except UnreadableError as error:
            self.findings.append(error.finding)
        except RecursionError:
            self._find(path[:2], f"this {'rule' if is_rule else 'schedule'} refers to itself")
        return []

    def _find(self, path: Path, message: str) -> None:
        self.findings.append(Finding(CODE, message, path))

    def _rule(self, name: str, values: _Properties) -> Iterator[Rule | Schedule]:
        """Yield a rule's pattern and its schedule; nothing of a rule of another bus."""
        if str(values["EventBusName"] or "default").rpartition("event-bus/")[2] != "default":
            return
        if not {"EventPattern", _EXPRESSION} & values.written.keys():
            message = f"a rule must have an `EventPattern` or a `{_EXPRESSION}`"
            raise unreadable(values.path, message)
        targets = self._targets.of_rule(*values.place("Targets"))
        if "EventPattern" in values.written:
            yield Rule(name, self._pattern(*values.place("EventPattern")), targets)
        if _EXPRESSION in values.written:
            if str(values[_EXPRESSION]).startswith("at("):
                message = "a rule has no single time: it takes `cron(…)` or `rate(…)`"
                raise unreadable((*values.path, _EXPRESSION), message)
            arn = self._template.place.arn("events", f"rule/{name}")
            yield Schedule(name, arn, _times(values, UTC), targets)

    def _pattern(self, written: Json, path: Path) -> JsonObject:
        pattern: JsonObject = self._template.evaluated(written, path)
        self.findings += patterns.findings(pattern, path)
        local = self._template.place
        if isinstance(pattern, dict):
            for key, here in (("account", local.account), ("region", local.region)):
                if isinstance(pattern.get(key), list):
                    pattern[key] = [here if isinstance(one, str) else one for one in pattern[key]]
        return pattern

    def _schedule(self, name: str, values: _Properties) -> Schedule:
        group = values["GroupName"] or "default"
        arn = self._template.place.arn("scheduler", f"schedule/{group}/{name}")
        target: Target = self._targets.of_schedule(arn, *values.place("Target"))
        return Schedule(name, arn, _times(values, _zone(values)), (target,))


class _Properties:
    """The properties of a resource: evaluated, and as they are written."""

    def __init__(self, template: Template, written: JsonObject, path: Path) -> None:
        self._template = template
        self.written: Mapping[str, Json] = written
        self.path = path

    def __getitem__(self, key: str) -> Any:
        return self._template.evaluated(self.written.get(key), (*self.path, key))

    def place(self, key: str) -> tuple[Json, Path]:
        """Return what is written at a key, and where."""
        return self.written.get(key), (*self.path, key)


def _times(values: _Properties, zone: tzinfo) -> Times:
    start, end = _moment(values, "StartDate"), _moment(values, "EndDate")
    expression = values[_EXPRESSION]
    if expression is None:
        raise unreadable(values.path, f"a schedule must have a `{_EXPRESSION}`")
    try:
        return read_times(str(expression), zone, start, end)
    except ScheduleSyntaxError as error:
        path = (*values.path, _EXPRESSION)
        raise unreadable(path, error.problem, error.help) from None


def _zone(values: _Properties) -> tzinfo:
    name = str(values[_ZONE] or "UTC")
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        advice = "an IANA time zone, such as Europe/Berlin"
        raise unreadable((*values.path, _ZONE), f"there is no time zone `{name}`", advice) from None


def _moment(values: _Properties, key: str) -> datetime | None:
    written = values[key]
    if written is None:
        return None
    try:
        moment = datetime.fromisoformat(str(written))
    except ValueError:
        moment = None
    if moment is None or moment.year not in _YEARS:
        advice = "such as `2027-01-31T09:00:00Z`"
        raise unreadable((*values.path, key), f"`{written}` is not a date and a time", advice)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
