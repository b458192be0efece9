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
from pipelines.spec.automation import Schedule
from pipelines.spec.names import schedule_name, standing_alone
from pipelines.spec.values import scalar_text


@frozen
class ScheduledStart:
    """A schedule, and the pipeline that it starts.

    Args:
        logical: the id of its resource.
        name: its name in the account.
        pipeline: the pipeline.
        schedule: when, and with which parameters.
    """

    logical: str
    name: str
    pipeline: str
    schedule: Schedule


def scheduled(environment: Environment) -> Iterator[ScheduledStart]:
    """Yield the schedules of the pipeline, then those of its steps, which stand alone for that."""
    spec, pipeline = environment.spec, environment.compiled.pipeline
    for name, schedule in spec.schedule.items():
        full = schedule_name(pipeline, name)
        yield ScheduledStart(logical_id("Schedule", name), full, pipeline, schedule)
    for name, step in spec.steps.items():
        own = getattr(step, "schedule", None)
        if isinstance(own, Schedule):
            alone = standing_alone(pipeline, name)
            yield ScheduledStart(logical_id("StepSchedule", name), alone, alone, own)


def schedules(environment: Environment) -> JsonObject:
    """Return what starts pipelines at times; nothing where the spec names none."""
    found = tuple(scheduled(environment))
    if not found:
        return {}
    place = environment.place
    starts = dict.fromkeys(
        arn for one in found for arn in place.sagemaker(f"pipeline/{one.pipeline}")
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
    made = {one.logical: _schedule(environment, one) for one in found}
    return {**made, **role("SchedulerRole", policy)}


def _schedule(environment: Environment, one: ScheduledStart) -> JsonObject:
    schedule, pipeline = one.schedule, one.pipeline
    values = [
        {"Name": name, "Value": scalar_text(value)} for name, value in schedule.parameters.items()
    ]
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
