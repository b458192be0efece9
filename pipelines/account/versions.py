"""The versions of a pipeline's definition: who made them and when, and what they say."""

from __future__ import annotations

import re
from itertools import islice

from pipelines.errors import UsageError
from pipelines.execution.caller import Caller, CallRefusedError, see
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_SESSION = re.compile(r"assumed-role/(?P<role>[^/]+)/(?P<session>.+)$")


@frozen
class PipelineVersion:
    """A version of a pipeline.

    Args:
        number: its id, counted from 1.
        created: when it was made; a datetime with time zone.
        who: who made it; empty where it is not known.
        last_execution: ARN of the execution that ran it last, None where none did.
    """

    number: int
    created: Json
    who: str
    last_execution: str | None


def versions(caller: Caller, pipeline: str, most: int) -> list[PipelineVersion]:
    """List the versions of a pipeline, the newest first.

    Raises:
        UsageError: there is no such pipeline.
    """
    pages = caller.pages(
        "sagemaker",
        "list_pipeline_versions",
        "PipelineVersionSummaries",
        PipelineName=pipeline,
        SortOrder="Descending",
    )
    try:
        return [_version(caller, pipeline, summary) for summary in islice(pages, most)]
    except CallRefusedError as error:
        if error.is_missing:
            raise no_pipeline(caller, pipeline) from error
        raise


def definition_of(caller: Caller, pipeline: str, number: int) -> str:
    """Return the definition of a version.

    Raises:
        UsageError: there is no such version.
    """
    try:
        described = caller.call(
            "sagemaker", "describe_pipeline", PipelineName=pipeline, PipelineVersionId=number
        )
    except CallRefusedError as error:
        if error.is_missing:
            raise UsageError(
                f"the pipeline {pipeline} has no version {number}", see(caller, "versions")
            ) from error
        raise
    return str(described["PipelineDefinition"])


def no_pipeline(caller: Caller, pipeline: str) -> UsageError:
    """Return the error for a pipeline that is not deployed."""
    flags = " --local" if caller.is_local else ""
    return UsageError(
        f"there is no pipeline `{pipeline}`", f"deploy it first: pipelines upsert{flags}"
    )


def name_of(user: JsonObject | None) -> str:
    """Name who did something, by the UserContext of a Describe response."""
    context = user or {}
    arn = str((context.get("IamIdentity") or {}).get("Arn") or "")
    assumed = _SESSION.search(arn)
    if assumed:
        return f"{assumed['role']}/{assumed['session']}"
    return arn.rpartition(":")[2] or str(context.get("UserProfileName") or "")


def _version(caller: Caller, pipeline: str, summary: JsonObject) -> PipelineVersion:
    number = int(summary["PipelineVersionId"])
    described = caller.call(
        "sagemaker", "describe_pipeline", PipelineName=pipeline, PipelineVersionId=number
    )
    who = name_of(described.get("LastModifiedBy") or described.get("CreatedBy"))
    last = summary.get("LastExecutionPipelineExecutionArn")
    return PipelineVersion(number, summary["CreationTime"], who, last)
