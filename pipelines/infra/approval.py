"""A pipeline that deploys → the rule by which an approval in the registry starts it.

Sources: SageMaker developer guide, "Automating SageMaker with EventBridge"; FACTS 6, 11.11. An
event may come several times and late, so it carries no orders: the deploy pipeline looks at the
registry itself.
"""

from __future__ import annotations

from typing import Final

from pipelines.definition.named import defaults_of, known_text, read
from pipelines.definition.steps import take_apart
from pipelines.infra.model import Environment
from pipelines.infra.policies import RolePolicy, Statement, trust
from pipelines.infra.roles import role
from pipelines.infra.template import attribute, ref, skipping, sub
from pipelines.json_types import JsonObject
from pipelines.programs.deploy.variables import GROUP
from pipelines.spec.names import deployer

SOURCE: Final = "aws.sagemaker"
DETAIL_TYPE: Final = "SageMaker Model Package State Change"
RULE: Final = "ApprovalRule"
QUEUE: Final = "UndeliveredEvents"
ROLE: Final = "approval"

_RETENTION: Final = 14 * 24 * 3600
_AGE: Final = 24 * 3600
_ATTEMPTS: Final = 185


def deployed_groups(environment: Environment) -> tuple[str | None, ...]:
    """Name the groups whose approvals deploy; None where it is only known at a start."""
    definition = environment.compiled.definitions.get(deployer(environment.compiled.pipeline))
    if definition is None:
        return ()
    document = read(definition)
    defaults = defaults_of(document)
    variables = [step.arguments.get("Environment") or {} for step in take_apart(document).steps]
    found = (known_text(one.get(GROUP), defaults) for one in variables if GROUP in one)
    return tuple(dict.fromkeys(found))


def approval(environment: Environment) -> JsonObject:
    """Return the rule, its role, and the queue of what could not be delivered."""
    groups = [group for group in deployed_groups(environment) if group is not None]
    if not groups:
        return {}
    place = environment.place
    pipeline = deployer(environment.compiled.pipeline)
    arn = place.arn("sagemaker", f"pipeline/{pipeline}")
    policy = RolePolicy(
        "approval",
        environment.role(ROLE),
        (Statement("StartDeploying", ("sagemaker:StartPipelineExecution",), (arn,)),),
        trust("events.amazonaws.com", place.account),
    )
    return {
        RULE: {
            "Type": "AWS::Events::Rule",
            "Properties": {
                "Name": f"{environment.prefix}-approval",
                "Description": f"An approval or rejection in {', '.join(groups)} starts {pipeline}",
                "State": "ENABLED",
                "EventPattern": pattern(place.account, groups),
                "Targets": [
                    {
                        "# No parameters: the deploy pipeline takes what is live from the registry."
                        " EventBridge would take names of letters, digits and hyphens.": None,
                        "Id": "deploy",
                        "Arn": arn,
                        "RoleArn": attribute("ApprovalRole"),
                        "DeadLetterConfig": {"Arn": attribute(QUEUE)},
                        "RetryPolicy": {
                            "MaximumEventAgeInSeconds": _AGE,
                            "MaximumRetryAttempts": _ATTEMPTS,
                        },
                    }
                ],
            },
        },
        **role("ApprovalRole", policy),
    }


def pattern(account: str, groups: list[str]) -> JsonObject:
    """Return the pattern of the events that a change of an approval status makes.

    Whether the event of a package's creation carries `UpdatedModelPackageFields` is not
    documented, so its absence passes; a change of anything else names other fields.
    """
    return {
        "source": [SOURCE],
        "detail-type": [DETAIL_TYPE],
        "account": [account],
        "detail": {
            "ModelPackageGroupName": groups,
            "ModelPackageStatus": ["Completed"],
            "ModelApprovalStatus": ["Approved", "Rejected"],
            "$or": [
                {"UpdatedModelPackageFields": ["ModelApprovalStatus"]},
                {"UpdatedModelPackageFields": [{"exists": False}]},
            ],
        },
    }


def queue(rules: tuple[str, ...]) -> JsonObject:
    """Return the queue that keeps what rules could not deliver, and an alarm on it.

    Args:
        rules: the logical ids of the rules that write to it.
    """
    sources = [attribute(one) for one in rules]
    return {
        QUEUE: {
            "# Encrypted with a key of SQS itself: EventBridge cannot write to a queue that is"
            " encrypted with an AWS managed KMS key.": None,
            "Type": "AWS::SQS::Queue",
            "Metadata": skipping("CKV_AWS_27", "it is encrypted, by SQS's own key"),
            "Properties": {
                "SqsManagedSseEnabled": True,
                "MessageRetentionPeriod": _RETENTION,
            },
        },
        f"{QUEUE}Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {
                "Queues": [ref(QUEUE)],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "Rules",
                            "Effect": "Allow",
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Action": "sqs:SendMessage",
                            "Resource": attribute(QUEUE),
                            "Condition": {"ArnEquals": {"aws:SourceArn": sources}},
                        }
                    ],
                },
            },
        },
        f"{QUEUE}Alarm": {
            "# An event in the queue is an approval that nothing has deployed.": None,
            "Type": "AWS::CloudWatch::Alarm",
            "Properties": {
                "AlarmDescription": sub("${AWS::StackName}: an event could not be delivered"),
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
        },
    }
