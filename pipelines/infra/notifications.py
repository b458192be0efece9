"""`notify:` → rules that tell a topic of failures and of what waits for a person.

Sources: SageMaker developer guide, "Automating SageMaker with EventBridge"; CodePipeline user
guide, "Monitoring CodePipeline events".
"""

from __future__ import annotations

from typing import Final

from pipelines.definition.named import groups_of
from pipelines.frozen import frozen
from pipelines.infra import approval
from pipelines.infra.model import Delivery, Environment, Options
from pipelines.infra.template import attribute, ref, skipping
from pipelines.json_types import JsonObject

_TOPIC: Final = "Notifications"


@frozen
class _Event:
    """Something that a topic is told.

    Args:
        rule: the logical id of its rule.
        name: what the rule's name ends with.
        pattern: which events it is about.
        paths: what the text takes out of the event.
        text: what is told.
    """

    rule: str
    name: str
    pattern: JsonObject
    paths: dict[str, str]
    text: str


def topics(environment: Environment) -> list[JsonObject | str]:
    """Return the topics that hear of an environment: one of its own, one that the spec names."""
    notify = environment.spec.notify
    if notify is None:
        return []
    own = [ref(_TOPIC)] if notify.email else []
    return [*own, *([notify.topic] if notify.topic else [])]


def notifications(delivery: Delivery, environment: Environment, options: Options) -> JsonObject:
    """Return the rules, and the topic of those who are told by e-mail."""
    told = topics(environment)
    if not told:
        return {}
    events = [*_of_environment(environment)]
    if environment is delivery.first and options.runner == "codepipeline":
        events += _of_ci(delivery)
    made: JsonObject = {}
    for event in events:
        made[event.rule] = _rule(environment, event, told)
    return {**_topic(environment, [event.rule for event in events]), **made}


def _topic(environment: Environment, rules: list[str]) -> JsonObject:
    emails = environment.spec.notify.email if environment.spec.notify else []
    if not emails:
        return {}
    statement = {
        "Effect": "Allow",
        "Action": "sns:Publish",
        "Resource": ref(_TOPIC),
    }
    return {
        _TOPIC: {
            "# Each address gets a message with a link that confirms it; nothing comes before. For"
            " chat, add the topic in Amazon Q Developer's console.": None,
            "Type": "AWS::SNS::Topic",
            "Metadata": skipping(
                "CKV_AWS_26", "rules cannot publish with AWS's key; texts hold names only"
            ),
            "Properties": {
                "TopicName": f"{environment.prefix}-notifications",
                "Subscription": [{"Protocol": "email", "Endpoint": one} for one in emails],
            },
        },
        f"{_TOPIC}Policy": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref(_TOPIC)],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "Rules",
                            **statement,
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Condition": {
                                "ArnEquals": {"aws:SourceArn": [attribute(one) for one in rules]}
                            },
                        },
                        {
                            "Sid": "Alarms",
                            **statement,
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Condition": {
                                "StringEquals": {"aws:SourceAccount": environment.place.account}
                            },
                        },
                    ],
                },
            },
        },
    }


def _rule(environment: Environment, event: _Event, told: list[JsonObject | str]) -> JsonObject:
    transformer = {"InputPathsMap": event.paths, "InputTemplate": f'"{event.text}"'}
    return {
        "Type": "AWS::Events::Rule",
        "Properties": {
            "Name": f"{environment.prefix}-{event.name}",
            "State": "ENABLED",
            "EventPattern": event.pattern,
            "Targets": [
                {"Id": f"topic-{number}", "Arn": topic, "InputTransformer": transformer}
                for number, topic in enumerate(told, 1)
            ],
        },
    }


def _of_environment(environment: Environment) -> list[_Event]:
    """Return failures of its pipelines, the deployments among them, and versions that wait."""
    place, definitions = environment.place, environment.compiled.definitions
    arns = [place.arn("sagemaker", f"pipeline/{name}") for name in definitions]
    failed = {
        "source": [approval.SOURCE],
        "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
        "account": [place.account],
        "detail": {
            "pipelineArn": [{"equals-ignore-case": arn} for arn in arns],
            "currentPipelineExecutionStatus": ["Failed"],
        },
    }
    text = "An execution failed: <execution>. `python -m pipelines status` says why."
    events = [
        _Event("FailedRule", "failed", failed, {"execution": "$.detail.pipelineExecutionArn"}, text)
    ]
    groups = sorted(groups_of(*definitions.values()))
    if groups:
        waiting = approval.waiting(place.account, groups)
        text = "A model version waits for approval: <version>"
        paths = {"version": "$.detail.ModelPackageArn"}
        events.append(_Event("WaitingRule", "waiting", waiting, paths, text))
    return events


def _of_ci(delivery: Delivery) -> list[_Event]:
    """Return failures of the CodePipeline, and releases that wait for a person."""
    pipeline, account = f"{delivery.pipeline}-ci", delivery.first.place.account
    source = {"source": ["aws.codepipeline"], "account": [account]}
    failed = {
        **source,
        "detail-type": ["CodePipeline Pipeline Execution State Change"],
        "detail": {"pipeline": [pipeline], "state": ["FAILED"]},
    }
    waiting = {
        **source,
        "detail-type": ["CodePipeline Action Execution State Change"],
        "detail": {
            "pipeline": [pipeline],
            "type": {"category": ["Approval"]},
            "state": ["STARTED"],
        },
    }
    stage = {"stage": "$.detail.stage"}
    found = [_Event("CiFailedRule", "ci-failed", failed, {}, f"{pipeline} failed")]
    if len(delivery.environments) > 1:
        text = f"{pipeline} waits for approval before <stage>"
        found.append(_Event("CiWaitingRule", "ci-waiting", waiting, stage, text))
    return found
