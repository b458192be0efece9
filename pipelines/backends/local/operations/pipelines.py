"""Pipelines, with every version of their definition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from pipelines.backends.local.errors import ServiceError, invalid, missing
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.operations.context import BY_NOBODY, OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import (
    PageRequest,
    SortKey,
    all_but,
    bounds,
    given,
    moment,
    page,
    within,
)
from pipelines.backends.local.state.paging import PageQuery
from pipelines.backends.local.state.pipelines import PipelineRecord, VersionRecord
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_TOKEN: Final = "ClientRequestToken"  # noqa: S105 - the name of a member
_NOT_DESCRIBED = (
    "PipelineName",
    "PipelineDefinition",
    "PipelineDefinitionS3Location",
    _TOKEN,
    "Tags",
)


@frozen
class PipelineOperations:
    """The operations on pipelines; a pipeline may be named by its ARN."""

    context: OperationContext
    objects: ObjectStore
    check_definition: Callable[[str], None]

    @operation("CreatePipeline")
    def create_pipeline(self, **request: Json) -> JsonObject:
        """Create a pipeline with the first version of its definition.

        The same ClientRequestToken returns the pipeline that it created.

        Raises:
            ServiceError: ValidationException, when the name is taken too.
        """
        name = request["PipelineName"]
        refuse_aliases(request)
        definition = self._definition(request)
        if definition is None:
            raise invalid("a pipeline needs PipelineDefinition or PipelineDefinitionS3Location")
        arn, now = self.context.arn(f"pipeline/{name}"), self.context.now()
        content = {**all_but(request, *_NOT_DESCRIBED), _TOKEN: request[_TOKEN]}
        record = PipelineRecord(name, arn, content, now, now)
        pipelines = self.context.state.pipelines
        if not pipelines.add(record, definition, request.get("Tags") or []):
            known = pipelines.find(name)
            if known is None or known.content.get(_TOKEN) != request[_TOKEN]:
                raise invalid(
                    "Pipeline names must be unique within an AWS account and region."
                    f" Pipeline with name ({name}) already exists."
                )
        return {"PipelineArn": arn}

    @operation("UpdatePipeline")
    def update_pipeline(self, **request: Json) -> JsonObject:
        """Change a pipeline; a definition in the request becomes its next version."""
        record = require_pipeline(self.context, request["PipelineName"])
        refuse_aliases(request)
        definition, now = self._definition(request), self.context.now()
        content = {**record.content, **all_but(request, *_NOT_DESCRIBED)}
        changed = replace(record, content=content, modified=now)
        self.context.state.pipelines.update(changed, definition)
        version = require_version(self.context, record, None)
        return {"PipelineArn": record.arn, "PipelineVersionId": version.number}

    @operation("DescribePipeline")
    def describe_pipeline(self, **request: Json) -> JsonObject:
        """Return a pipeline with its latest definition, or with the version asked for."""
        record = require_pipeline(self.context, request["PipelineName"])
        version = version_of_request(self.context, record, request)
        last_run = self.context.state.executions.last_started(record.name)
        return {
            "PipelineArn": record.arn,
            "PipelineName": record.name,
            "PipelineDefinition": version.definition,
            "PipelineStatus": "Active",
            "CreationTime": moment(record.created),
            "LastModifiedTime": moment(record.modified),
            **({} if last_run is None else {"LastRunTime": moment(last_run)}),
            **BY_NOBODY,
            "PipelineDisplayName": record.name,
            **all_but(record.content, _TOKEN),
        }

    @operation("ListPipelines")
    def list_pipelines(self, **request: Json) -> JsonObject:
        """List pipelines, the newest first."""
        records = [
            record
            for record in self.context.state.pipelines.all()
            if record.name.startswith(str(request.get("PipelineNamePrefix", "")))
            and within(record.created, request, "CreatedAfter", "CreatedBefore")
        ]
        by_name = request.get("SortBy") == "Name"
        order = SortKey[PipelineRecord](
            lambda one: (one.name,) if by_name else (one.created, one.name), "Descending"
        )
        records, token = page(records, order, request)
        return {"PipelineSummaries": [self._summary(record) for record in records], **token}

    @operation("ListPipelineVersions")
    def list_pipeline_versions(self, **request: Json) -> JsonObject:
        """List the versions of a pipeline's definition, the newest first."""
        record = require_pipeline(self.context, request["PipelineName"])
        after, before = bounds(request, "CreatedAfter", "CreatedBefore")
        conditions = (
            ("pipeline = ?", record.name),
            ("created > ?", after),
            ("created < ?", before),
        )
        asked = PageRequest.of(request, "Descending", (0,))
        query = PageQuery(conditions, ("version",), asked.descending, asked.last, asked.size + 1)
        versions, token = asked.cut(
            self.context.state.pipelines.versions(query), lambda version: (version[0],)
        )
        summaries = [
            {
                "PipelineArn": record.arn,
                "PipelineVersionId": number,
                "CreationTime": moment(created),
                **self._last_execution(record.name, number),
            }
            for number, created in versions
        ]
        return {"PipelineVersionSummaries": summaries, **token}

    @operation("DeletePipeline")
    def delete_pipeline(self, **request: Json) -> JsonObject:
        """Delete a pipeline; its executions can still be read by their ARNs."""
        record = require_pipeline(self.context, request["PipelineName"])
        self.context.state.pipelines.remove(record)
        return {"PipelineArn": record.arn}

    def _definition(self, request: JsonObject) -> str | None:
        location = request.get("PipelineDefinitionS3Location")
        text: str | None = request.get("PipelineDefinition")
        if location is not None:
            uri = f"s3://{location['Bucket']}/{location['ObjectKey']}"
            try:
                text = self.objects.get_bytes(uri).decode("utf-8")
            except UnicodeDecodeError:
                raise invalid(f"the object {uri} is not UTF-8 text") from None
        if text is not None:
            self.check_definition(text)
        return text

    def _last_execution(self, name: str, version: int) -> JsonObject:
        arn = self.context.state.executions.last_of_version(name, version)
        return {} if arn is None else {"LastExecutionPipelineExecutionArn": arn}

    def _summary(self, record: PipelineRecord) -> JsonObject:
        last_run = self.context.state.executions.last_started(record.name)
        listed = ("PipelineDisplayName", "PipelineDescription", "RoleArn")
        return {
            "PipelineArn": record.arn,
            "PipelineName": record.name,
            "CreationTime": moment(record.created),
            "LastModifiedTime": moment(record.modified),
            **({} if last_run is None else {"LastExecutionTime": moment(last_run)}),
            "PipelineDisplayName": record.name,
            **given(record.content, listed),
        }


def require_pipeline(context: OperationContext, name_or_arn: str) -> PipelineRecord:
    """Find a pipeline.

    Raises:
        ServiceError: ResourceNotFound.
    """
    is_arn = name_or_arn.startswith("arn:")
    arn = name_or_arn if is_arn else context.arn(f"pipeline/{name_or_arn}")
    record = context.state.pipelines.find(arn.rpartition("/")[2])
    if record is None or record.arn != arn:
        raise missing(f"Pipeline '{arn}' does not exist.")
    return record


def refuse_aliases(request: JsonObject) -> None:
    """Refuse a request that gives a version an alias, or names one by it."""
    if not request.keys().isdisjoint({"PipelineVersionAlias", "PipelineVersionAliases"}):
        raise ServiceError(
            "NotImplemented", "the local SageMaker has no aliases of versions", "use its number"
        )


def version_of_request(
    context: OperationContext, pipeline: PipelineRecord, request: JsonObject
) -> VersionRecord:
    """Find the version that a request names; without a number the latest.

    Raises:
        ServiceError: ResourceNotFound.
    """
    refuse_aliases(request)
    return require_version(context, pipeline, request.get("PipelineVersionId"))


def require_version(
    context: OperationContext, pipeline: PipelineRecord, number: int | None
) -> VersionRecord:
    """Find a version of a pipeline's definition; without a number the latest.

    Raises:
        ServiceError: ResourceNotFound.
    """
    version = context.state.pipelines.version(pipeline.name, number)
    if version is None:
        raise missing(f"Pipeline '{pipeline.name}' has no version {number}.")
    return version
