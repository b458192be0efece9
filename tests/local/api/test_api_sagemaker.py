"""SageMaker over HTTP as stock boto3 sees it: pages, filters, orders, waiters, refusals, tags."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from botocore.exceptions import WaiterError

from tests.local.api.conftest import ROLE, Served, refusal

WAIT = {"Delay": 1, "MaxAttempts": 60}
NAMES = ["b1", "a1", "c1", "a2"]
LISTS = {
    "list_models": ("Models", "ModelName", "Descending"),
    "list_endpoint_configs": ("EndpointConfigs", "EndpointConfigName", "Descending"),
    "list_endpoints": ("Endpoints", "EndpointName", "Descending"),
    "list_model_package_groups": (
        "ModelPackageGroupSummaryList",
        "ModelPackageGroupName",
        "Ascending",
    ),
}


def fill(served: Served) -> Any:
    """Create one of each kind for each name, in that order; return the client."""
    client = served.client("sagemaker")
    for name in NAMES:
        client.create_model_package_group(ModelPackageGroupName=name)
        container = {"Image": "x", "ModelDataUrl": "s3://b/nothing"}
        client.create_model(ModelName=name, PrimaryContainer=container, ExecutionRoleArn=ROLE)
        size = {"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
        variant = {"VariantName": "A", "ModelName": name, **size}
        client.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
        client.create_endpoint(EndpointName=name, EndpointConfigName=name)
    return client


def test_every_list_is_paged_sorted_and_filtered(served: Served) -> None:
    """By stock paginators; the default order is that of the API reference."""
    client = fill(served)
    for operation, (member, key, default) in LISTS.items():

        def listed(size: int = 100, operation: str = operation, **request: object) -> list[str]:
            pages = client.get_paginator(operation).paginate(
                PaginationConfig={"PageSize": size}, **request
            )
            return [one[LISTS[operation][1]] for page in pages for one in page[LISTS[operation][0]]]

        by_time = NAMES if default == "Ascending" else NAMES[::-1]
        assert listed() == listed(size=1) == listed(size=3) == by_time, operation
        assert listed(SortBy="CreationTime", SortOrder="Ascending") == NAMES
        assert listed(size=1, SortBy="Name", SortOrder="Ascending") == sorted(NAMES)
        assert listed(SortBy="Name", SortOrder="Descending") == sorted(NAMES)[::-1]
        assert sorted(listed(NameContains="a")) == ["a1", "a2"]
        third = next(
            one["CreationTime"]
            for one in getattr(client, operation)()[member]
            if one[key] == NAMES[2]
        )
        later = listed(SortOrder="Ascending", CreationTimeAfter=third - timedelta(milliseconds=1))
        assert later == NAMES[2:], operation
        assert listed(CreationTimeBefore=third - timedelta(days=1)) == []


@pytest.mark.parametrize("operation", list(LISTS))
@pytest.mark.parametrize("token", ["garbage", "ImEi", "eyJhIjogMX0=", "WzFd"])
def test_a_token_that_is_none_of_this_list_is_refused(
    served: Served, operation: str, token: str
) -> None:
    """Whatever it holds: it may come from elsewhere, or from the same list in another order."""
    client = fill(served)
    code, message, _ = refusal(getattr(client, operation), NextToken=token)
    assert code == "ValidationException"
    assert "NextToken" in message


def test_a_token_of_another_order_is_refused(served: Served) -> None:
    """A name does not say where a list by time goes on."""
    client = fill(served)
    token = client.list_models(SortBy="Name", MaxResults=1)["NextToken"]
    code, _, _ = refusal(client.list_models, NextToken=token)
    assert code == "ValidationException"


def test_waiters_follow_an_endpoint_from_creation_to_its_end(served: Served) -> None:
    """`endpoint_in_service` and `endpoint_deleted`; one that fails is told at once."""
    served.config("c")
    client = served.client("sagemaker")
    client.create_endpoint(EndpointName="e", EndpointConfigName="c")
    in_service = client.get_waiter("endpoint_in_service")
    in_service.wait(EndpointName="e", WaiterConfig=WAIT)
    client.delete_endpoint(EndpointName="e")
    client.get_waiter("endpoint_deleted").wait(EndpointName="e", WaiterConfig=WAIT)
    fill(served)
    with pytest.raises(WaiterError, match="terminal failure state"):
        in_service.wait(EndpointName="a1", WaiterConfig=WAIT)
    assert "s3://b/nothing" in client.describe_endpoint(EndpointName="a1")["FailureReason"]


ARN = "arn:aws:sagemaker:us-east-1:000000000000"


@pytest.mark.parametrize(
    ("operation", "request_", "code", "message"),
    [
        (
            "describe_endpoint",
            {"EndpointName": "x"},
            "ValidationException",
            f'Could not find endpoint "{ARN}:endpoint/x".',
        ),
        (
            "describe_endpoint_config",
            {"EndpointConfigName": "x"},
            "ValidationException",
            f'Could not find endpoint configuration "{ARN}:endpoint-config/x".',
        ),
        (
            "describe_model",
            {"ModelName": "x"},
            "ValidationException",
            f'Could not find model "{ARN}:model/x".',
        ),
        (
            "describe_model_package",
            {"ModelPackageName": f"{ARN}:model-package/g/9"},
            "ValidationException",
            f"ModelPackage {ARN}:model-package/g/9 does not exist.",
        ),
        (
            "describe_pipeline",
            {"PipelineName": "x"},
            "ResourceNotFound",
            f"Pipeline '{ARN}:pipeline/x' does not exist.",
        ),
        (
            "delete_model_package_group",
            {"ModelPackageGroupName": "g"},
            "ConflictException",
            (
                f"Model Package Group {ARN}:model-package-group/g still has 1 model packages;"
                " delete them first"
            ),
        ),
        (
            "create_model",
            {
                "ModelName": "m",
                "PrimaryContainer": {"ModelPackageName": f"{ARN}:model-package/g/1"},
            },
            "ValidationException",
            (
                f"Cannot create Model from ModelPackage {ARN}:model-package/g/1"
                " with approval status PendingManualApproval; approve it first"
            ),
        ),
        (
            "create_model",
            {"ModelName": "m"},
            "ValidationException",
            "the model has neither PrimaryContainer nor Containers",
        ),
        (
            "update_model_package",
            {"ModelPackageArn": f"{ARN}:model-package/g/1", "ModelApprovalStatus": "Yes"},
            "ValidationException",
            (
                "1 validation error detected: Value 'Yes' at 'modelApprovalStatus' failed to"
                " satisfy constraint: Member must satisfy enum value set: [Approved, Rejected,"
                " PendingManualApproval]"
            ),
        ),
        (
            "list_domains",
            {},
            "NotImplemented",
            (
                "the local SageMaker does not have the operation ListDomains of sagemaker; it has"
                " operations on endpoint configs, endpoints, executions, jobs, model packages,"
                " models, pipelines, search, tags, tuning jobs; use an account for it"
            ),
        ),
    ],
)
def test_refusals_are_the_services_own(
    served: Served, operation: str, request_: dict[str, Any], code: str, message: str
) -> None:
    """Codes that boto3 has classes for, and one line that says what is wrong."""
    served.package("g", "PendingManualApproval")
    answer = refusal(getattr(served.client("sagemaker"), operation), **request_)
    assert answer == (code, message, 400)


def test_more_provisioned_than_concurrent_is_refused(served: Served) -> None:
    """What is kept warm is a share of what may be answered at once."""
    served.config("c")
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 2, "ProvisionedConcurrency": 3}
    variant = {"VariantName": "A", "ModelName": "c", "ServerlessConfig": serverless}
    code, message, _ = refusal(
        served.client("sagemaker").create_endpoint_config,
        EndpointConfigName="d",
        ProductionVariants=[variant],
    )
    assert code == "ValidationException"
    assert "ProvisionedConcurrency" in message


def test_tags_go_with_what_they_are_tied_to(served: Served) -> None:
    """Added, listed, replaced, taken away."""
    client = served.client("sagemaker")
    created = client.create_model_package_group(
        ModelPackageGroupName="g", Tags=[{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]
    )
    arn = created["ModelPackageGroupArn"]
    client.add_tags(ResourceArn=arn, Tags=[{"Key": "a", "Value": "3"}])
    client.delete_tags(ResourceArn=arn, TagKeys=["b"])
    pages = client.get_paginator("list_tags").paginate(ResourceArn=arn)
    assert [tag for page in pages for tag in page["Tags"]] == [{"Key": "a", "Value": "3"}]
    code, _, _ = refusal(client.list_tags, ResourceArn=f"{ARN}:model-package-group/x")
    assert code == "ValidationException"
