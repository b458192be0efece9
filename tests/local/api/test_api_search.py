"""Search by stock boto3: filters on properties, metrics and tags, orders and pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from pipelines.backends.local.operations.context import OperationContext
from pipelines.backends.local.operations.search import SearchOperations
from pipelines.backends.local.state.local_state import LocalState
from tests.local.api.conftest import Served, refusal
from tests.local.api.test_api_jobs import ended, training

if TYPE_CHECKING:
    from pipelines.backends.local.operations.table import OperationTable


def named(client: Any, *filters: tuple[str, str, str], **more: Any) -> list[str]:
    """Return the names of the training jobs that satisfy filters."""
    written = [{"Name": n, "Operator": o, "Value": v} for n, o, v in filters]
    expression = {"SearchExpression": {"Filters": written}} if written else {}
    pages = client.get_paginator("search").paginate(Resource="TrainingJob", **expression, **more)
    return [one["TrainingJob"]["TrainingJobName"] for page in pages for one in page["Results"]]


def test_training_jobs_are_found_by_their_properties(served: Served) -> None:
    """Names, hyperparameters, metrics and tags; numbers are compared as numbers."""
    client = served.client("sagemaker")
    for number in (9, 10):
        client.create_training_job(
            **training(f"fit-{number}", "sh", "-c", f"echo 'loss={number};'"),
            HyperParameters={"layers.dense": str(number)},
            Tags=[{"Key": "team", "Value": f"t{number}"}],
        )
        ended(client, f"fit-{number}")
    assert named(client) == ["fit-10", "fit-9"]
    assert named(client, SortBy="CreationTime", SortOrder="Ascending") == ["fit-9", "fit-10"]
    assert named(client, PaginationConfig={"PageSize": 1}) == ["fit-10", "fit-9"]
    assert named(client, ("TrainingJobName", "Contains", "t-9")) == ["fit-9"]
    assert named(client, ("HyperParameters.layers.dense", "GreaterThan", "9")) == ["fit-10"]
    assert named(client, ("Metrics.loss", "LessThanOrEqualTo", "9")) == ["fit-9"]
    assert named(client, ("Tags.team", "Equals", "t10")) == ["fit-10"]
    assert named(client, ("Tags.team", "In", "t9, t10")) == ["fit-10", "fit-9"]
    assert named(client, ("TrainingJobStatus", "NotEquals", "Completed")) == []
    assert named(
        client, ("CreationTime", "GreaterThan", "2020-01-01T00:00:00Z"), SortBy="TrainingJobName"
    ) == [
        "fit-9",
        "fit-10",
    ]


def test_versions_of_a_group_are_found(served: Served) -> None:
    """As an SDK looks for them: by group and approval, joined by Or."""
    client = served.client("sagemaker")
    first, second = served.package("flights"), served.package("flights", "Rejected")
    served.package("other")

    def found(**expression: Any) -> set[str]:
        response = client.search(Resource="ModelPackage", SearchExpression=expression)
        assert response["TotalHits"]["Value"] == len(response["Results"])
        return {one["ModelPackage"]["ModelPackageArn"] for one in response["Results"]}

    group = {"Name": "ModelPackageGroupName", "Operator": "Equals", "Value": "flights"}
    rejected = {"Name": "ModelApprovalStatus", "Value": "Rejected"}
    assert found(Filters=[group]) == {first, second}
    assert found(Filters=[group, rejected]) == {second}
    assert len(found(Filters=[group, rejected], Operator="Or")) == 2
    assert found(SubExpressions=[{"Filters": [group]}, {"Filters": [rejected]}]) == {second}
    image = {
        "NestedPropertyName": "InferenceSpecification.Containers",
        "Filters": [
            {"Name": "InferenceSpecification.Containers.ModelDataUrl", "Value": "s3://b/none"}
        ],
    }
    assert found(NestedFilters=[image]) == set()


def test_a_kind_that_cannot_be_searched_is_named(served: Served) -> None:
    """With those that can."""
    code, message, _ = refusal(served.client("sagemaker").search, Resource="FeatureGroup")
    assert code == "ValidationException"
    assert "FeatureGroup; it knows TrainingJob, HyperParameterTuningJob, Pipeline" in message
    for kind in ("Pipeline", "PipelineExecution", "ModelPackageGroup", "Endpoint"):
        assert served.client("sagemaker").search(Resource=kind)["Results"] == []


class Deleting:
    """The operations of a local SageMaker where another client deletes what was just listed."""

    def __init__(self, served: Served, group: str) -> None:
        self._sagemaker = served.sagemaker
        self._group = group

    def members(self, module: str, shape: str) -> frozenset[str]:
        """Return the members of a shape."""
        return self._sagemaker.operations.members(module, shape)

    def method(self, name: str) -> Any:
        """Return an operation; the list of groups is old when it is returned."""
        found = self._sagemaker.operations.method(name)
        assert found is not None
        if name != "list_model_package_groups":
            return found

        def listed(**request: Any) -> Any:
            response = found(**request)
            self._sagemaker.delete_model_package_group(ModelPackageGroupName=self._group)
            return response

        return listed


def test_what_is_deleted_while_it_is_searched_is_left_out(served: Served) -> None:
    """A resource that is gone when it would be described does not fail the search."""
    sagemaker = served.sagemaker
    for name in ("kept", "gone"):
        sagemaker.create_model_package_group(ModelPackageGroupName=name)
    context = OperationContext(LocalState(sagemaker.settings.home), sagemaker.settings)
    operations = cast("OperationTable", Deleting(served, "gone"))
    found = SearchOperations(context, operations).search(Resource="ModelPackageGroup")
    context.state.close()
    names = [one["ModelPackageGroup"]["ModelPackageGroupName"] for one in found["Results"]]
    assert names == ["kept"]
