"""`notify:` → topics of the shared stack, and rules that tell them of failures and of what waits.

A topic lies in the shared stack, so that an address that was confirmed stays confirmed when the
stack of its pipeline is made anew. It is named, not imported: an import would keep CloudFormation
from removing it with the last address.

Sources: SageMaker developer guide, "Automating SageMaker with EventBridge"; CodePipeline user
guide, "Monitoring CodePipeline events".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from pipelines.definition.named import groups_of
from pipelines.frozen import frozen
from pipelines.infra import approval
from pipelines.infra.model import Delivery, Environment, Options, Place, logical_id
from pipelines.infra.template import ref, skipping
from pipelines.infra.tenants import Resident, Tenant
from pipelines.json_types import JsonObject

_TOPIC: Final = "Topic"


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


def topics(environment: Environment) -> list[str]:
    """Return the topics that hear of an environment: one of its own, one that the spec names."""
    notify = environment.spec.notify
    if notify is None:
        return []
    own = [environment.place.arn("sns", _name(environment.prefix))] if notify.email else []
    return [*own, *([notify.topic] if notify.topic else [])]


def shared_topics(place: Place, tenants: Iterable[Tenant]) -> JsonObject:
    """Return the topics of those who are told by e-mail, one for each pipeline that tells them."""
    made: JsonObject = {}
    told = [one for tenant in tenants for one in tenant.residents if one.email]
    for one in sorted(told, key=lambda one: one.prefix):
        made |= _topic(place, one)
    return made


def notifications(delivery: Delivery, environment: Environment, options: Options) -> JsonObject:
    """Return the rules that tell the topics of an environment."""
    told = topics(environment)
    if not told:
        return {}
    events = [*_of_environment(environment)]
    if environment is delivery.first and options.runner == "codepipeline":
        events += _of_ci(delivery)
    return {event.rule: _rule(environment, event, told) for event in events}


def _topic(place: Place, told: Resident) -> JsonObject:
    logical = logical_id(_TOPIC, told.prefix)
    statement = {
        "Effect": "Allow",
        "Action": "sns:Publish",
        "Resource": ref(logical),
    }
    rules = place.arn("events", f"rule/{told.prefix}-*")
    return {
        logical: {
            "# Each address gets a message with a link that confirms it; nothing comes before. For"
            " chat, add the topic in Amazon Q Developer's console.": None,
            "Type": "AWS::SNS::Topic",
            "Metadata": skipping(
                "CKV_AWS_26", "rules cannot publish with AWS's key; texts hold names only"
            ),
            "Properties": {
                "TopicName": _name(told.prefix),
                "Subscription": [{"Protocol": "email", "Endpoint": one} for one in told.email],
            },
        },
        f"PolicyOf{logical}": {
            "Type": "AWS::SNS::TopicPolicy",
            "Properties": {
                "Topics": [ref(logical)],
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "Rules",
                            **statement,
                            "Principal": {"Service": "events.amazonaws.com"},
                            "Condition": {"ArnLike": {"aws:SourceArn": rules}},
                        },
                        {
                            "Sid": "Alarms",
                            **statement,
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Condition": {"StringEquals": {"aws:SourceAccount": place.account}},
                        },
                    ],
                },
            },
        },
    }


def _name(prefix: str) -> str:
    return f"{prefix}-notifications"


def _rule(environment: Environment, event: _Event, told: list[str]) -> JsonObject:
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
