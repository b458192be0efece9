"""Jobs: created, described, listed and stopped; the job service runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.jobs.description import described, listed
from pipelines.backends.local.jobs.kind import JobKind, require_kind
from pipelines.backends.local.jobs.service import JobService
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import (
    SortKey,
    moment,
    page,
    within,
)
from pipelines.backends.local.operations.type_rules import check_rules
from pipelines.backends.local.state.jobs import JobRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_TIMES = ("CreationTime", "LastModifiedTime", "Timestamp")
_TIME_ENDINGS = ("StartTime", "EndTime")
_OF_NONE = frozenset({"WarmPoolStatusEquals", "TrainingPlanArnEquals"})
"""Filters that choose what jobs on this machine do not have."""


@frozen
class JobOperations:
    """The operations on training, processing and transform jobs."""

    context: OperationContext
    jobs: JobService

    @operation("CreateTrainingJob")
    def create_training_job(self, **request: Json) -> JsonObject:
        """Create a training job and start it."""
        return self._create("Training", request)

    @operation("DescribeTrainingJob")
    def describe_training_job(self, **request: Json) -> JsonObject:
        """Return a training job."""
        return self._describe("Training", request)

    @operation("ListTrainingJobs")
    def list_training_jobs(self, **request: Json) -> JsonObject:
        """List training jobs."""
        return self._list("Training", request)

    @operation("StopTrainingJob")
    def stop_training_job(self, **request: Json) -> JsonObject:
        """Ask a training job to end."""
        return self._stop("Training", request)

    @operation("CreateProcessingJob")
    def create_processing_job(self, **request: Json) -> JsonObject:
        """Create a processing job and start it."""
        return self._create("Processing", request)

    @operation("DescribeProcessingJob")
    def describe_processing_job(self, **request: Json) -> JsonObject:
        """Return a processing job."""
        return self._describe("Processing", request)

    @operation("ListProcessingJobs")
    def list_processing_jobs(self, **request: Json) -> JsonObject:
        """List processing jobs."""
        return self._list("Processing", request)

    @operation("StopProcessingJob")
    def stop_processing_job(self, **request: Json) -> JsonObject:
        """Ask a processing job to end."""
        return self._stop("Processing", request)

    @operation("CreateTransformJob")
    def create_transform_job(self, **request: Json) -> JsonObject:
        """Create a transform job and start it.

        Raises:
            ServiceError: ValidationException: there is no such model.
        """
        model = str(request["ModelName"])
        if self.context.state.models.find(model) is None:
            raise invalid(f'Could not find model "{self.context.arn(f"model/{model}")}".')
        return self._create("Transform", request)

    @operation("DescribeTransformJob")
    def describe_transform_job(self, **request: Json) -> JsonObject:
        """Return a transform job."""
        return self._describe("Transform", request)

    @operation("ListTransformJobs")
    def list_transform_jobs(self, **request: Json) -> JsonObject:
        """List transform jobs."""
        return self._list("Transform", request)

    @operation("StopTransformJob")
    def stop_transform_job(self, **request: Json) -> JsonObject:
        """Ask a transform job to end."""
        return self._stop("Transform", request)

    def _create(self, type_name: str, request: JsonObject) -> JsonObject:
        kind = require_kind(type_name)
        check_rules(kind.type, request)
        member = f"{kind.word}JobName"
        arguments = {key: value for key, value in request.items() if key != member}
        job = self.jobs.create(kind, str(request[member]), arguments)
        return {f"{kind.word}JobArn": job.record.arn}

    def _describe(self, type_name: str, request: JsonObject) -> JsonObject:
        kind = require_kind(type_name)
        job = self._require(kind, request, kind.absent)
        full = {**self.jobs.of_children(kind, job), **described(kind, job)}
        response: JsonObject = timed(full)
        return response

    def _list(self, type_name: str, request: JsonObject) -> JsonObject:
        kind = require_kind(type_name)
        found = [job for job in self.jobs.all(kind) if _is_asked_for(job, request)]
        order = SortKey[JobRecord](_sort_key(request.get("SortBy")), kind.order)
        rows, token = page(found, order, request)
        entries = [listed(kind, job, self.jobs.of_children(kind, job)) for job in rows]
        return {f"{kind.word}JobSummaries": [timed(entry) for entry in entries], **token}

    def _stop(self, type_name: str, request: JsonObject) -> JsonObject:
        kind = require_kind(type_name)
        self.jobs.stop(self._require(kind, request, kind.unstoppable))
        return {}

    def _require(self, kind: JobKind, request: JsonObject, missing: str) -> JobRecord:
        member = f"{kind.word}JobName"
        name = str(request[member])
        job = self.jobs.find(kind, name)
        if job is None:
            raise ServiceError(kind.missing, missing.format(name=name))
        return job


def _is_asked_for(job: JobRecord, request: JsonObject) -> bool:
    state = job.state
    return (
        not request.keys() & _OF_NONE
        and str(request.get("NameContains") or "") in job.name
        and request.get("StatusEquals") in (None, state.status)
        and within(state.created, request, "CreationTimeAfter", "CreationTimeBefore")
        and within(state.modified, request, "LastModifiedTimeAfter", "LastModifiedTimeBefore")
    )


def _sort_key(by: Json) -> Callable[[JobRecord], Sequence[str | float]]:
    match by:
        case "Name":
            return lambda job: (job.name,)
        case "Status":
            return lambda job: (str(job.state.status), job.created, job.name)
        case _:
            return lambda job: (job.created, job.name)


def timed(value: Json, member: str = "") -> Json:
    """Return what was described as boto3 does: what was recorded as seconds is a time."""
    match value:
        case dict():
            return {key: timed(one, key) for key, one in value.items()}
        case list():
            return [timed(one) for one in value]
        case bool():
            return value
        case int() | float() if member in _TIMES or member.endswith(_TIME_ENDINGS):
            return moment(value)
        case _:
            return value
