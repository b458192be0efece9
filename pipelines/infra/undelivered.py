"""The queue of what EventBridge could not deliver: an approval that nothing has deployed, say."""

from __future__ import annotations

from typing import Final

from pipelines.infra.model import Environment
from pipelines.infra.template import attribute, ref, skipping, sub
from pipelines.json_types import JsonObject

QUEUE: Final = "UndeliveredEvents"
RETRIES: Final[JsonObject] = {
    "MaximumEventAgeInSeconds": 24 * 3600,
    "MaximumRetryAttempts": 185,
}
_RETENTION: Final = 14 * 24 * 3600


def queue_arn(environment: Environment) -> str:
    """Return the ARN of the queue."""
    return environment.place.arn("sqs", _name(environment))


def queue(environment: Environment, rules: list[str], alarmed: list[str]) -> JsonObject:
    """Return the queue, and an alarm on it.

    Args:
        environment: the pipeline.
        rules: the logical ids of the rules that write to it.
        alarmed: the topics that hear of the alarm.
    """
    return {
        QUEUE: {
            "# Encrypted with a key of SQS itself: EventBridge cannot write to a queue that is"
            " encrypted with an AWS managed KMS key.": None,
            "Type": "AWS::SQS::Queue",
            "Metadata": skipping("CKV_AWS_27", "it is encrypted, by SQS's own key"),
            "Properties": {
                "QueueName": _name(environment),
                "SqsManagedSseEnabled": True,
                "MessageRetentionPeriod": _RETENTION,
            },
        },
        **({f"{QUEUE}Policy": _policy(rules)} if rules else {}),
        f"{QUEUE}Alarm": _alarm(alarmed),
    }


def _policy(rules: list[str]) -> JsonObject:
    """Let the rules, and nothing else of EventBridge, write to the queue."""
    statement: JsonObject = {
        "Sid": "Rules",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": attribute(QUEUE),
        "Condition": {"ArnEquals": {"aws:SourceArn": [attribute(one) for one in rules]}},
    }
    return {
        "Type": "AWS::SQS::QueuePolicy",
        "Properties": {
            "Queues": [ref(QUEUE)],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        },
    }


def _alarm(alarmed: list[str]) -> JsonObject:
    """Return the alarm that goes off when anything stands in the queue."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": {
            "AlarmDescription": sub("${AWS::StackName}: an event could not be delivered"),
            **({"AlarmActions": alarmed} if alarmed else {}),
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": attribute(QUEUE, "QueueName")}],
            "Statistic": "Maximum",
            "Period": 300,
            "EvaluationPeriods": 1,
            "Threshold": 0,
            "ComparisonOperator": "GreaterThanThreshold",
            "TreatMissingData": "notBreaching",
        },
    }


def _name(environment: Environment) -> str:
    return f"{environment.prefix}-undelivered"
