"""`schedule:` → the schedules of EventBridge Scheduler, and the role with which they start."""

from __future__ import annotations

from pipelines.infra import undelivered
from pipelines.infra.model import Environment, logical_id
from pipelines.infra.policies import RolePolicy, Statement, trust
from pipelines.infra.roles import role
from pipelines.infra.template import attribute, skipping
from pipelines.json_types import JsonObject
from pipelines.spec.automation import Schedule, schedule_name
from pipelines.spec.values import scalar_text


def schedules(environment: Environment) -> JsonObject:
    """Return what starts a pipeline at times; nothing where it names none."""
    named = environment.spec.schedule
    if not named:
        return {}
    place, pipeline = environment.place, environment.compiled.pipeline
    policy = RolePolicy(
        "schedule",
        environment.role("schedule"),
        (
            Statement(
                "Start",
                ("sagemaker:StartPipelineExecution",),
                place.sagemaker(f"pipeline/{pipeline}"),
            ),
            Statement("Keep", ("sqs:SendMessage",), (undelivered.queue_arn(environment),)),
        ),
        trust("scheduler.amazonaws.com", place.account),
    )
    made: JsonObject = {}
    for name, schedule in named.items():
        made[logical_id("Schedule", name)] = _schedule(environment, name, schedule)
    return {**made, **role("SchedulerRole", policy)}


def _schedule(environment: Environment, name: str, schedule: Schedule) -> JsonObject:
    pipeline = environment.compiled.pipeline
    values = [
        {"Name": name, "Value": scalar_text(value)} for name, value in schedule.parameters.items()
    ]
    parameters = {"SageMakerPipelineParameters": {"PipelineParameterList": values}}
    return {
        "Type": "AWS::Scheduler::Schedule",
        "Metadata": skipping("CKV_AWS_297", "a schedule holds no data: a name and parameters"),
        "Properties": {
            "Name": schedule_name(pipeline, name),
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
