"""`schedule:` and `notify:`: what they say of the pipeline fits the pipeline."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.diagnostics.nearest import nearest
from pipelines.graph.model import Graph
from pipelines.spec.model import Parameter, PipelineSpec
from pipelines.spec.names import schedule_name
from pipelines.spec.values import describe, scalar_text

if TYPE_CHECKING:
    from pipelines.spec.automation import Schedule

_SCHEDULE = "SP132"
_NOTIFY = "SP133"
_MOST_CHARACTERS = 1024  # SageMakerPipelineParameter of EventBridge Scheduler: Value


def check(graph: Graph) -> Iterator[Finding]:
    """Find schedules that could not start the pipeline, and a topic in another region."""
    spec = graph.spec
    for name, schedule in spec.schedule.items():
        full = schedule_name(spec.pipeline, name)
        yield from of_schedule(full, schedule, spec.parameters, ("schedule", name))
    yield from _topic(spec)


def of_schedule(
    full: str, schedule: Schedule, parameters: Mapping[str, Parameter], path: Path
) -> Iterator[Finding]:
    """Find a schedule that could not start its pipeline.

    Args:
        full: the schedule's name in the account.
        schedule: the schedule.
        parameters: of the pipeline that it starts.
        path: where it stands.
    """
    from pipelines.spec.automation import SCHEDULE_NAME  # noqa: PLC0415 - few have a schedule

    if not SCHEDULE_NAME.fullmatch(full):
        message = f"`{full}` cannot be the name of a schedule"
        advice = "letters, digits, `-`, `_` and `.`, with the pipeline's name at most 64"
        yield Finding(_SCHEDULE, message, path, at="key", help=advice)
    if not schedule.fires_after(datetime.now(UTC).date()):
        message = f"`{schedule.cron}` never fires again: its last day is over"
        yield Finding(
            _SCHEDULE, message, (*path, "cron"), severity=Severity.WARNING,
            help="`*` in the place of the year is every year",
        )  # fmt: skip
    yield from _parameters(parameters, schedule, path)


def _parameters(
    parameters: Mapping[str, Parameter], schedule: Schedule, path: Path
) -> Iterator[Finding]:
    for name, value in schedule.parameters.items():
        place = (*path, "parameters", name)
        parameter = parameters.get(name)
        if parameter is None:
            close = nearest(name, parameters)
            declared = ", ".join(parameters) or "none"
            advice = f"did you mean `{close}`?" if close else f"parameters: {declared}"
            message = f"the pipeline has no parameter `{name}`"
            yield Finding(_SCHEDULE, message, place, at="key", help=advice)
        elif not parameter.takes(value):
            message = f"`{name}` is of type {parameter.type}, it cannot be {describe(value)}"
            yield Finding(_SCHEDULE, message, place)
        elif parameter.enum is not None and value not in parameter.enum:
            advice = f"one of {', '.join(parameter.enum)}"
            yield Finding(_SCHEDULE, f"`{value}` is not in its enum", place, help=advice)
        elif not 1 <= len(scalar_text(value)) <= _MOST_CHARACTERS:
            message = f"a value of a schedule has 1 to {_MOST_CHARACTERS} characters"
            yield Finding(_SCHEDULE, message, place)
    for name, parameter in parameters.items():
        if parameter.default is None and name not in schedule.parameters:
            message = f"`{name}` has no default, and this schedule gives it no value"
            advice = f"add `{name}` to its `parameters:`, or give it a default"
            yield Finding(_SCHEDULE, message, path, at="key", help=advice)


def _topic(spec: PipelineSpec) -> Iterator[Finding]:
    if spec.notify is None or spec.notify.topic is None or spec.aws is None:
        return
    region = spec.notify.topic.split(":")[3]
    if region != spec.aws.region:
        message = f"the topic is in {region}, the pipeline in {spec.aws.region}"
        advice = f"EventBridge reaches topics of its own region: name one in {spec.aws.region}"
        yield Finding(_NOTIFY, message, ("notify", "topic"), help=advice)
