"""`schedule:` → the schedules of EventBridge Scheduler, and the role with which they start."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.frozen import frozen
from pipelines.infra import undelivered
from pipelines.infra.model import Environment, logical_id
from pipelines.infra.policies import RolePolicy, Statement, trust
from pipelines.infra.roles import role
from pipelines.infra.template import attribute, skipping
from pipelines.json_types import JsonObject
from pipelines.spec.starts import Start, starts


@frozen
class ScheduledStart:
    """A schedule, and the pipeline that it starts.

    Args:
        logical: the id of its resource.
        start: what it starts, and when.
    """

    logical: str
    start: Start


def scheduled(environment: Environment) -> Iterator[ScheduledStart]:
    """Yield the schedules of the pipeline, then those of its steps, which stand alone for that."""
    for one in starts(environment.spec):
        sort = "StepSchedule" if one.of_step else "Schedule"
        yield ScheduledStart(logical_id(sort, one.key), one)


def schedules(environment: Environment) -> JsonObject:
    """Return what starts pipelines at times; nothing where the spec names none."""
    found = tuple(scheduled(environment))
    if not found:
        return {}
    place = environment.place
    starts = dict.fromkeys(
        arn for one in found for arn in place.sagemaker(f"pipeline/{one.start.pipeline}")
    )
    policy = RolePolicy(
        "schedule",
        environment.role("schedule"),
        (
            Statement("Start", ("sagemaker:StartPipelineExecution",), tuple(starts)),
            Statement("Keep", ("sqs:SendMessage",), (undelivered.queue_arn(environment),)),
        ),
        trust("scheduler.amazonaws.com", place.account),
    )
    made = {one.logical: _schedule(environment, one.start) for one in found}
    return {**made, **role("SchedulerRole", policy)}


def _schedule(environment: Environment, one: Start) -> JsonObject:
    schedule, pipeline = one.schedule, one.pipeline
    values = [{"Name": name, "Value": value} for name, value in one.parameters.items()]
    parameters = {"SageMakerPipelineParameters": {"PipelineParameterList": values}}
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Metadata": skipping("CKV_AWS_297", "a schedule holds no data: a name and parameters"),
        "Properties": {
            "Name": one.name,
            "Description": f"Starts {pipeline}",
            "ScheduleExpression": schedule.expression,
            "ScheduleExpressionTimezone": schedule.timezone,
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "State": "ENABLED",
            "Target": {
                "Arn": environment.place.arn("sagemaker", f"pipeline/{pipeline}"),
                "RoleArn": attribute("SchedulerRole"),
                **(parameters if values else {}),
                "RetryPolicy": undelivered.RETRIES,
                "DeadLetterConfig": {"Arn": attribute(undelivered.QUEUE)},
            },
        },
    }
