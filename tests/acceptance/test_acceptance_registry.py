"""Versions of models and serverless endpoint configs: members, approval, refusals. All free."""

from __future__ import annotations

import secrets

import pytest

from pipelines.json_types import JsonObject
from tests.acceptance.definitions import refusal
from tests.acceptance.target import Target


@pytest.fixture(scope="module")
def group(target: Target) -> str:
    """Create a group."""
    name = target.named("registry")
    target.sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=target.tags)
    return name


def register(target: Target, group: str, **more: object) -> str:
    """Register a version of a model and return its ARN."""
    target.client("s3").put_object(Bucket=target.bucket, Key="model.tar.gz", Body=b"")
    container = {"Image": target.image, "ModelDataUrl": target.uri("model.tar.gz")}
    specification = {
        "Containers": [container],
        "SupportedContentTypes": ["text/csv"],
        "SupportedResponseMIMETypes": ["text/csv"],
    }
    created = target.sagemaker.create_model_package(
        ModelPackageGroupName=group, InferenceSpecification=specification, **more
    )
    arn = str(created["ModelPackageArn"])
    target.settled(
        lambda: target.sagemaker.describe_model_package(ModelPackageName=arn), "ModelPackageStatus"
    )
    return arn


@pytest.mark.fact("12.1")
def test_a_version_has_the_members_that_were_recorded(target: Target, group: str) -> None:
    """No ModelPackageName; CertifyForMarketplace and the empty details are there."""
    arn = register(target, group)
    described = target.sagemaker.describe_model_package(ModelPackageName=arn)
    assert "ModelPackageName" not in described
    assert described["CertifyForMarketplace"] is False
    assert described["ModelPackageStatusDetails"] == {
        "ValidationStatuses": [],
        "ImageScanStatuses": [],
    }
    listed = target.sagemaker.list_model_packages(ModelPackageGroupName=group)
    assert all("ModelPackageName" not in one for one in listed["ModelPackageSummaryList"])


@pytest.mark.fact("11.12")
def test_versions_count_up_and_are_listed_in_ascending_order(target: Target) -> None:
    """By default; one that waits for approval is approved by UpdateModelPackage."""
    group = target.named("counted")
    target.sagemaker.create_model_package_group(ModelPackageGroupName=group, Tags=target.tags)
    arns = [register(target, group) for _ in range(2)]
    assert [arn.rpartition("/")[2] for arn in arns] == ["1", "2"]
    listed = target.sagemaker.list_model_packages(ModelPackageGroupName=group)
    versions = [one["ModelPackageVersion"] for one in listed["ModelPackageSummaryList"]]
    assert versions == [1, 2]
    target.sagemaker.update_model_package(ModelPackageArn=arns[1], ModelApprovalStatus="Approved")
    described = target.sagemaker.describe_model_package(ModelPackageName=arns[1])
    assert described["ModelApprovalStatus"] == "Approved"


@pytest.mark.fact("12.2")
@pytest.mark.parametrize(
    ("names", "text"),
    [
        ((), "Missing ARN."),
        (("ModelPackageName", "ModelPackageGroupName"), "Both ModelPackageName and"),
    ],
    ids=["neither name nor group", "name and group"],
)
def test_a_package_has_a_name_or_a_group(
    target: Target, group: str, names: tuple[str, ...], text: str
) -> None:
    """Both refusals in the service's words."""
    request = dict.fromkeys(names, group)
    code, message = refusal(target.sagemaker.create_model_package, **request)
    assert code == "ValidationException"
    assert text in message


@pytest.fixture(scope="module")
def model(target: Target) -> str:
    """Create a model, since a config of none is refused for that."""
    name = target.named("model")
    target.client("s3").put_object(Bucket=target.bucket, Key="model.tar.gz", Body=b"")
    container = {"Image": target.image, "ModelDataUrl": target.uri("model.tar.gz")}
    target.sagemaker.create_model(
        ModelName=name, PrimaryContainer=container, ExecutionRoleArn=target.role, Tags=target.tags
    )
    return name


@pytest.mark.fact("2.4")
@pytest.mark.parametrize(
    "serverless",
    [
        {"MemorySizeInMB": 1500, "MaxConcurrency": 1},
        {"MemorySizeInMB": 7168, "MaxConcurrency": 1},
        {"MemorySizeInMB": 1024, "MaxConcurrency": 201},
        {"MemorySizeInMB": 1024, "MaxConcurrency": 1, "ProvisionedConcurrency": 2},
    ],
    ids=["between sizes", "too much memory", "too concurrent", "more provisioned than concurrent"],
)
def test_a_serverless_config_outside_its_limits_is_refused(
    target: Target, model: str, serverless: JsonObject
) -> None:
    """1024 to 6144 MB in steps of 1024; concurrency from 1 to 200."""
    variant = {"VariantName": "A", "ModelName": model, "ServerlessConfig": serverless}
    code, _ = refusal(
        target.sagemaker.create_endpoint_config,
        EndpointConfigName=target.named(f"limits-{secrets.token_hex(4)}"),
        ProductionVariants=[variant],
        Tags=target.tags,
    )
    assert code == "ValidationException"
