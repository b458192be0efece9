"""Search: what is there of one kind of resource, filtered by any of its properties."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.property_filters import matches, number_of, values_of
from pipelines.backends.local.operations.requests import SortKey, page
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.operations.operation import OtherOperations

_MODIFIED = "LastModifiedTime"


@frozen
class _Resource:
    """A kind of resource that can be searched.

    Args:
        name: as the service calls it; also the member of a result.
        listed: the operation that lists it.
        entries: the member of that list.
        arn: the member of an entry that identifies it.
        described: the operation that describes it.
        asked: the member that names it there.
        given: the member of an entry that is its value.
        within: a resource whose `asked` member the list needs.
        request: what the list is asked for.
        shape: the structure of a result, where it is not called like the resource.
    """

    name: str
    listed: str
    entries: str
    arn: str
    described: str
    asked: str
    given: str
    within: str | None = None
    request: JsonObject | None = None
    shape: str | None = None


_RESOURCES = (
    _Resource(
        name="TrainingJob",
        listed="list_training_jobs",
        entries="TrainingJobSummaries",
        arn="TrainingJobArn",
        described="describe_training_job",
        asked="TrainingJobName",
        given="TrainingJobName",
    ),
    _Resource(
        name="HyperParameterTuningJob",
        listed="list_hyper_parameter_tuning_jobs",
        entries="HyperParameterTuningJobSummaries",
        arn="HyperParameterTuningJobArn",
        described="describe_hyper_parameter_tuning_job",
        asked="HyperParameterTuningJobName",
        given="HyperParameterTuningJobName",
        shape="HyperParameterTuningJobSearchEntity",
    ),
    _Resource(
        name="Pipeline",
        listed="list_pipelines",
        entries="PipelineSummaries",
        arn="PipelineArn",
        described="describe_pipeline",
        asked="PipelineName",
        given="PipelineName",
    ),
    _Resource(
        name="PipelineExecution",
        listed="list_pipeline_executions",
        entries="PipelineExecutionSummaries",
        arn="PipelineExecutionArn",
        described="describe_pipeline_execution",
        asked="PipelineExecutionArn",
        given="PipelineExecutionArn",
        within="Pipeline",
    ),
    _Resource(
        name="ModelPackage",
        listed="list_model_packages",
        entries="ModelPackageSummaryList",
        arn="ModelPackageArn",
        described="describe_model_package",
        asked="ModelPackageName",
        given="ModelPackageArn",
        request={"ModelPackageType": "Both"},
    ),
    _Resource(
        name="ModelPackageGroup",
        listed="list_model_package_groups",
        entries="ModelPackageGroupSummaryList",
        arn="ModelPackageGroupArn",
        described="describe_model_package_group",
        asked="ModelPackageGroupName",
        given="ModelPackageGroupName",
    ),
    _Resource(
        name="Endpoint",
        listed="list_endpoints",
        entries="Endpoints",
        arn="EndpointArn",
        described="describe_endpoint",
        asked="EndpointName",
        given="EndpointName",
    ),
)


@frozen
class SearchOperations:
    """The operation on all resources."""

    context: OperationContext
    operations: OtherOperations

    @operation("Search")
    def search(self, **request: Json) -> JsonObject:
        """Return the resources of a kind that satisfy an expression.

        Raises:
            ServiceError: ValidationException: resources of that kind cannot be searched here.
        """
        resource = _resource(request["Resource"])
        expression = request.get("SearchExpression") or {}
        found = [one for one in self._all(resource) if matches(expression, one)]
        by = str(request.get("SortBy") or _MODIFIED)
        order = SortKey[JsonObject](lambda one: _sort_key(one, by, resource.arn), "Descending")
        rows, token = page(found, order, request)
        hits = {"Value": len(found), "Relation": "EqualTo"}
        return {"Results": [{resource.name: one} for one in rows], "TotalHits": hits, **token}

    def _all(self, resource: _Resource) -> Iterator[JsonObject]:
        """Yield every resource of a kind as Search returns it, with its tags."""
        members = self.operations.members("search", resource.shape or resource.name)
        for entry in self._entries(resource):
            try:
                described = self._call(resource.described, {resource.asked: entry[resource.given]})
            except ServiceError:  # it was deleted after it was listed
                continue
            tags = self.context.state.tags.of(str(entry[resource.arn]))
            full = {**described, **({"Tags": tags} if tags else {})}
            yield {name: value for name, value in full.items() if name in members}

    def _entries(self, resource: _Resource) -> Iterator[JsonObject]:
        if resource.within is None:
            yield from self._pages(resource, resource.request or {})
            return
        outer = _resource(resource.within)
        for entry in self._entries(outer):
            with suppress(ServiceError):  # it was deleted after it was listed
                yield from self._pages(resource, {outer.asked: entry[outer.given]})

    def _pages(self, resource: _Resource, request: JsonObject) -> Iterator[JsonObject]:
        token: JsonObject = {}
        while True:
            response = self._call(resource.listed, {**request, **token})
            yield from response[resource.entries]
            if "NextToken" not in response:
                return
            token = {"NextToken": response["NextToken"]}

    def _call(self, method: str, request: JsonObject) -> JsonObject:
        called = self.operations.method(method)
        return {} if called is None else called(**request)


def _resource(name: Json) -> _Resource:
    found = next((one for one in _RESOURCES if one.name == name), None)
    if found is None:
        known = ", ".join(one.name for one in _RESOURCES)
        raise invalid(
            f"the local SageMaker cannot search resources of the kind {name}", f"it knows {known}"
        )
    return found


def _sort_key(found: JsonObject, by: str, arn: str) -> tuple[float, str, str]:
    values = values_of(found, by) or (values_of(found, "CreationTime") if by == _MODIFIED else [])
    value = values[0] if values else ""
    number = value.timestamp() if isinstance(value, datetime) else number_of(value)
    text = "" if number is not None else str(value)
    return number or 0.0, text, str(found[arn])
