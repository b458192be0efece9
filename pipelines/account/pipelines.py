"""A pipeline of the account: read, created, updated, tagged."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.execution.caller import Caller, CallRefusedError
from pipelines.json_types import JsonObject


def describe(caller: Caller, name: str) -> JsonObject | None:
    """Describe a pipeline; None when there is none of that name."""
    try:
        return caller.call("sagemaker", "describe_pipeline", PipelineName=name)
    except CallRefusedError as error:
        if error.is_missing:
            return None
        raise


def tags_of(caller: Caller, arn: str) -> dict[str, str]:
    """Read the tags of something of SageMaker's."""
    pages = caller.pages("sagemaker", "list_tags", "Tags", ResourceArn=arn)
    return {tag["Key"]: tag["Value"] for tag in pages}


def as_tags(tags: Mapping[str, str]) -> list[JsonObject]:
    """Write tags as requests want them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def has_rule(caller: Caller, pipeline: str) -> bool | None:
    """Return whether an EventBridge rule starts a pipeline; None when that may not be asked.

    Args:
        caller: where.
        pipeline: the pipeline's ARN.
    """
    try:
        names = caller.pages("events", "list_rule_names_by_target", "RuleNames", TargetArn=pipeline)
        return next(iter(names), None) is not None
    except CallRefusedError as error:
        if error.is_denied:
            return None
        raise
