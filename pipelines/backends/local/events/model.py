"""A change that the state recorded → the events that SageMaker sends to EventBridge for it.

Source of every shape: SageMaker developer guide, "Events that Amazon SageMaker AI sends to Amazon
EventBridge". The guide says that more than one event may be sent for a change, so whoever takes
them has to be idempotent; here there is one, unless a crash repeats it, with the same id.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from pipelines.backends.local.jobs.description import described
from pipelines.backends.local.jobs.kind import JobKind, require_kind
from pipelines.backends.local.state.changes import ChangeRecord
from pipelines.backends.local.state.jobs import job_of
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

SOURCE: Final = "aws.sagemaker"
PACKAGE: Final = "SageMaker Model Package State Change"
EXECUTION: Final = "SageMaker Model Building Pipeline Execution Status Change"
STEP: Final = "SageMaker Model Building Pipeline Execution Step Status Change"
ENDPOINT: Final = "SageMaker Endpoint State Change"
DEPLOYMENT: Final = "SageMaker Endpoint Deployment State Change"
_JOB: Final = "SageMaker {} Job State Change"
UPDATED: Final = "UpdatedModelPackageFields"
FIELDS: Final = {
    "ModelApprovalStatus": "ModelApprovalStatus",
    "ModelLifeCycle": "ModelLifeCycle",
    "ApprovalDescription": "ApprovalDescription",
    "SourceUri": "sourceUri",
    "CustomerMetadataProperties": "CustomerMetadataProperties",
    "InferenceSpecification": "InferenceSpecification",
}
"""Members of a package → how an event says that they were updated."""

_CAPITAL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ENDED: Final = frozenset({"Succeeded", "Failed", "Stopped", "CompletedWithFailures"})


@frozen
class EventOrigin:
    """What the envelope of an event says besides what happened.

    Args:
        id: the same for an event that is sent again.
        time: when it happened, in seconds since 1970.
        account: the account's id.
        region: the region.
    """

    id: str
    time: float
    account: str
    region: str

    def event(self, detail_type: str, resources: list[str], detail: JsonObject) -> JsonObject:
        """Return an event as EventBridge hands it to rules and targets."""
        return {
            "version": "0",
            "id": self.id,
            "detail-type": detail_type,
            "source": SOURCE,
            "account": self.account,
            "time": _written(self.time),
            "region": self.region,
            "resources": resources,
            "detail": detail,
        }


def events_of(change: ChangeRecord, account: str, region: str) -> Iterator[JsonObject]:
    """Yield the events of a change."""
    origin = EventOrigin(change.id, change.recorded, account, region)
    after = change.after
    before = change.before or {}
    match change.resource:
        case "packages":
            updated = updated_fields(before["record"], after["record"]) if before else None
            if updated != []:  # of other members no event is documented
                yield origin.event(PACKAGE, [after["arn"]], _package_detail(after, updated or []))
        case "executions":
            detail = _execution(before.get("status"), after)
            yield origin.event(EXECUTION, _of_execution(after["arn"]), detail)
        case "steps":
            detail = _step(before.get("status"), after)
            yield origin.event(STEP, _of_execution(after["execution"]), detail)
        case "endpoints":
            yield origin.event(ENDPOINT, [after["arn"]], _endpoint(after))
            if after["status"] == "Updating":
                yield origin.event(DEPLOYMENT, [after["arn"]], _deployment(after))
        case "jobs":
            name = require_kind(after["type"]).event or after["type"]
            yield origin.event(_JOB.format(name), [after["arn"]], _job(after))
        case unknown:
            raise AssertionError(unknown)


def updated_fields(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Name what an update of a package changed, as its event does."""
    return [said for member, said in FIELDS.items() if before.get(member) != after.get(member)]


def _package_detail(row: JsonObject, updated: list[str]) -> JsonObject:
    """Return a package as an event holds it.

    Args:
        row: its row.
        updated: what was updated; none where it is new: whether the event of a creation names
            fields is not documented.
    """
    named: JsonObject = {"ModelPackageName": row["name"]}
    if row["group_name"] is not None:
        named = {
            "ModelPackageGroupName": row["group_name"],
            "ModelPackageVersion": row["version"],
        }
    modified = row["modified"]
    return {
        **named,
        "ModelPackageArn": row["arn"],
        "CreationTime": _written(row["created"]),
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CertifyForMarketplace": False,
        **row["record"],
        **({UPDATED: updated} if updated else {}),
        **({} if modified is None else {"LastModifiedTime": _written(modified)}),
    }


def _execution(previous: str | None, row: JsonObject) -> JsonObject:
    request = row["request"]
    ended = row["status"] in _ENDED
    return _without_nothing(
        {
            "pipelineExecutionDisplayName": request.get("PipelineExecutionDisplayName"),
            "pipelineExecutionDescription": request.get("PipelineExecutionDescription"),
            "currentPipelineExecutionStatus": row["status"],
            "previousPipelineExecutionStatus": previous,
            "executionStartTime": _written(row["created"]),
            "executionEndTime": _written(row["modified"]) if ended else None,
            **_arns(row["arn"]),
        }
    )


def _step(previous: str | None, row: JsonObject) -> JsonObject:
    ended, source = row["ended"], row["cached_from"]
    return _without_nothing(
        {
            "metadata": _camel_case(row["metadata"]),
            "stepStartTime": _written(row["started"]),
            "stepEndTime": None if ended is None else _written(ended),
            "stepName": row["name"],
            "stepType": row["type"],
            "previousStepStatus": previous,
            "currentStepStatus": row["status"],
            "failureReason": row["reason"],
            "cacheHitResult": None if source is None else {"sourcePipelineExecutionArn": source},
            **_arns(row["execution"]),
        }
    )


def _job(row: JsonObject) -> JsonObject:
    """Return a job as its Describe does, with times as the guide shows them for its Type."""
    job = job_of(row)
    kind = require_kind(job.type)
    detail = described(kind, job)
    detail["LastModifiedTime"] = job.state.modified
    times = {
        name: _moment(kind, value)
        for name, value in detail.items()
        if name.endswith("Time") and isinstance(value, int | float)
    }
    return {**detail, **times, "Tags": {}}


def _endpoint(row: JsonObject) -> JsonObject:
    return {
        "EndpointName": row["name"],
        "EndpointArn": row["arn"],
        "EndpointConfigName": row["config"],
        "ProductionVariants": [_variant(one) for one in row["record"]["variants"]],
        "EndpointStatus": _CAPITAL.sub("_", row["status"]).upper(),
        "CreationTime": _milliseconds(row["created"]),
        "LastModifiedTime": _milliseconds(row["modified"]),
        "Tags": {},
    }


def _deployment(row: JsonObject) -> JsonObject:
    """Return the detail for the start of an update; nothing bakes here, so there is no other."""
    pending = {"EndpointConfigName": row["wanted"], "StartTime": _milliseconds(row["modified"])}
    return {**_endpoint(row), "PendingDeploymentSummary": pending}


def _variant(variant: JsonObject) -> JsonObject:
    weights = dict.fromkeys(("CurrentWeight", "DesiredWeight"), variant["weight"])
    counts = dict.fromkeys(("CurrentInstanceCount", "DesiredInstanceCount"), variant["instances"])
    return {"VariantName": variant["name"], **weights, **({} if variant["serverless"] else counts)}


def _of_execution(arn: str) -> list[str]:
    return [*_arns(arn).values()]


def _arns(execution: str) -> dict[str, str]:
    pipeline = execution.partition("/execution/")[0]
    return {"pipelineArn": pipeline, "pipelineExecutionArn": execution}


def _camel_case(value: Json) -> Json:
    """Begin every key in lower case, as these events do."""
    if isinstance(value, dict):
        return {f"{key[:1].lower()}{key[1:]}": _camel_case(one) for key, one in value.items()}
    return [_camel_case(one) for one in value] if isinstance(value, list) else value


def _without_nothing(detail: JsonObject) -> JsonObject:
    return {key: value for key, value in detail.items() if value is not None}


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)


def _moment(kind: JobKind, seconds: float) -> Json:
    milliseconds = _milliseconds(seconds)
    match kind.event_times:
        case "number":
            return milliseconds
        case "text":
            return str(milliseconds)
        case "iso":
            return _written(seconds)
