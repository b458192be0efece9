"""Model packages and groups: what is kept, what is refused, what changes."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.backends.local.settings import LocalSettings
from pipelines.json_types import Json, JsonObject

Conform = Callable[[str, JsonObject], None]

SPECIFICATION: JsonObject = {
    "Containers": [{"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}],
    "SupportedContentTypes": ["text/csv"],
    "SupportedResponseMIMETypes": ["text/csv"],
}
METRICS: JsonObject = {
    "ModelQuality": {
        "Statistics": {"ContentType": "application/json", "S3Uri": "s3://bucket/evaluation.json"}
    }
}
FULL: JsonObject = {
    "ModelPackageDescription": "delays",
    "ModelPackageRegistrationType": "Registered",
    "InferenceSpecification": SPECIFICATION,
    "CertifyForMarketplace": False,
    "ModelApprovalStatus": "Approved",
    "MetadataProperties": {"CommitId": "abc", "GeneratedBy": "me"},
    "ModelMetrics": METRICS,
    "Domain": "MACHINE_LEARNING",
    "Task": "CLASSIFICATION",
    "SamplePayloadUrl": "s3://bucket/sample.json",
    "CustomerMetadataProperties": {"auc": "0.7"},
    "DriftCheckBaselines": {
        "ModelQuality": {"Statistics": {"ContentType": "a/b", "S3Uri": "s3://bucket/x"}}
    },
    "AdditionalInferenceSpecifications": [{"Name": "gpu", "Containers": [{"Image": "gpu"}]}],
    "SkipModelValidation": "All",
    "SourceUri": "s3://bucket/source",
    "SecurityConfig": {"KmsKeyId": "key"},
    "ModelCard": {"ModelCardContent": "{}", "ModelCardStatus": "Draft"},
    "ModelLifeCycle": {"Stage": "Development", "StageStatus": "PendingApproval"},
    "ManagedStorageType": "Restricted",
}


@pytest.fixture
def register(service: LocalSageMaker) -> Callable[..., str]:
    """Register a version of the group `g`, which is there; return its ARN."""
    service.create_model_package_group(ModelPackageGroupName="g")

    def create(**request: Json) -> str:
        arn: str = service.create_model_package(ModelPackageGroupName="g", **request)[
            "ModelPackageArn"
        ]
        return arn

    return create


def test_every_field_of_a_request_is_kept_and_described(
    service: LocalSageMaker, register: Callable[..., str], conform: Conform
) -> None:
    """Moto drops life cycle and card; the service and this registry do not."""
    arn = register(**FULL)
    found = service.describe_model_package(ModelPackageName=arn)
    conform("DescribeModelPackage", found)
    assert {key: found[key] for key in FULL} == FULL
    assert found["ModelPackageVersion"] == 1
    assert arn == "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1"
    assert found["ModelPackageStatus"] == "Completed"


def test_a_version_waits_for_approval_unless_it_says_otherwise(
    service: LocalSageMaker, register: Callable[..., str]
) -> None:
    """PendingManualApproval is the service's default for versions."""
    found = service.describe_model_package(ModelPackageName=register())
    assert found["ModelApprovalStatus"] == "PendingManualApproval"


def test_an_unversioned_package_has_a_name_tags_and_no_approval(
    service: LocalSageMaker, conform: Conform
) -> None:
    """It belongs to no group."""
    tags = [{"Key": "team", "Value": "ml"}]
    arn = service.create_model_package(
        ModelPackageName="m", InferenceSpecification=SPECIFICATION, Tags=tags
    )["ModelPackageArn"]
    found = service.describe_model_package(ModelPackageName="m")
    conform("DescribeModelPackage", found)
    assert "ModelApprovalStatus" not in found
    assert service.list_tags(ResourceArn=arn) == {"Tags": tags}
    with pytest.raises(ServiceError) as raised:
        service.create_model_package(ModelPackageName="m")
    assert raised.value.code == "ValidationException"


def test_the_same_client_token_gives_the_same_package(
    service: LocalSageMaker, register: Callable[..., str]
) -> None:
    """What makes a registration exactly-once across a crash."""
    assert register(ClientToken="t") == register(ClientToken="t")
    assert register(ClientToken="u").endswith("/2")
    found = service.list_model_packages(ModelPackageGroupName="g")
    assert len(found["ModelPackageSummaryList"]) == 2


def test_an_update_changes_what_it_names_and_nothing_else(
    service: LocalSageMaker, register: Callable[..., str], conform: Conform
) -> None:
    """Moto wipes approval, description and metadata that an update leaves out."""
    arn = register(**FULL)
    response = service.update_model_package(
        ModelPackageArn=arn,
        ModelApprovalStatus="Rejected",
        ApprovalDescription="drifts",
        CustomerMetadataProperties={"owner": "me"},
        CustomerMetadataPropertiesToRemove=["auc"],
        AdditionalInferenceSpecificationsToAdd=[{"Name": "cpu", "Containers": [{"Image": "c"}]}],
        ModelLifeCycle={"Stage": "Development", "StageStatus": "Approved"},
    )
    conform("UpdateModelPackage", response)
    found = service.describe_model_package(ModelPackageName=arn)
    conform("DescribeModelPackage", found)
    changed = {
        "ModelApprovalStatus": "Rejected",
        "ApprovalDescription": "drifts",
        "CustomerMetadataProperties": {"owner": "me"},
        "ModelLifeCycle": {"Stage": "Development", "StageStatus": "Approved"},
    }
    kept = {
        key: value
        for key, value in FULL.items()
        if key not in changed and key != "AdditionalInferenceSpecifications"
    }
    assert {key: found[key] for key in {**kept, **changed}} == {**kept, **changed}
    assert [item["Name"] for item in found["AdditionalInferenceSpecifications"]] == ["gpu", "cpu"]
    assert found["LastModifiedTime"] > found["CreationTime"]


@pytest.mark.parametrize(
    ("request_", "problem"),
    [
        ({"ModelPackageGroupName": "none"}, "Model Package Group does not exist."),
        ({"ModelPackageGroupName": "g", "Tags": [{"Key": "a", "Value": "b"}]}, "has no tags"),
        ({"ModelPackageGroupName": "g", "ModelPackageName": "m"}, "Both ModelPackageName and"),
        (
            {"ModelPackageGroupName": "g", "ModelApprovalStatus": "Yes"},
            "at 'modelApprovalStatus' failed to satisfy",
        ),
        ({}, "Missing ARN."),
    ],
)
@pytest.mark.usefixtures("register")
def test_requests_that_the_service_refuses_are_refused(
    service: LocalSageMaker, request_: JsonObject, problem: str
) -> None:
    """Each is a ValidationException, and no version is used up."""
    with pytest.raises(ServiceError) as raised:
        service.create_model_package(**request_)
    assert raised.value.code == "ValidationException"
    assert problem in raised.value.problem
    arn = service.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    assert arn.endswith("/1")


def test_versions_are_listed_by_approval_in_either_order_and_in_pages(
    service: LocalSageMaker, register: Callable[..., str], conform: Conform
) -> None:
    """The default order is ascending; a token goes on after the last item."""
    for status in ("Approved", "Rejected", "Approved", "PendingManualApproval", "Approved"):
        register(ModelApprovalStatus=status)
    request: JsonObject = {
        "ModelPackageGroupName": "g",
        "ModelApprovalStatus": "Approved",
        "SortOrder": "Descending",
        "MaxResults": 2,
    }
    first = service.list_model_packages(**request)
    register(ModelApprovalStatus="Approved")
    second = service.list_model_packages(**request, NextToken=first["NextToken"])
    for response in (first, second):
        conform("ListModelPackages", response)
    versions = [
        item["ModelPackageVersion"]
        for response in (first, second)
        for item in response["ModelPackageSummaryList"]
    ]
    assert versions == [5, 3, 1]
    assert "NextToken" not in second
    everything = service.list_model_packages(ModelPackageGroupName="g")
    found = [item["ModelPackageVersion"] for item in everything["ModelPackageSummaryList"]]
    assert found == [1, 2, 3, 4, 5, 6]


def test_without_a_group_only_unversioned_packages_are_listed(
    service: LocalSageMaker, register: Callable[..., str]
) -> None:
    """As the API documents its ModelPackageType."""
    register()
    service.create_model_package(ModelPackageName="m")
    counts = {
        kind: len(service.list_model_packages(**request)["ModelPackageSummaryList"])
        for kind, request in {
            "default": {},
            "Versioned": {"ModelPackageType": "Versioned"},
            "Both": {"ModelPackageType": "Both"},
            "named": {"ModelPackageType": "Both", "NameContains": "m"},
        }.items()
    }
    assert counts == {"default": 1, "Versioned": 1, "Both": 2, "named": 1}


def test_a_deleted_versions_number_is_not_given_again(
    service: LocalSageMaker, register: Callable[..., str]
) -> None:
    """What was deployed under it must stay another thing."""
    register()
    service.delete_model_package(ModelPackageName=register())
    assert register().endswith("/3")
    with pytest.raises(ServiceError):
        service.describe_model_package(ModelPackageName="g/2")


def test_groups_are_described_listed_tagged_and_deleted_when_empty(
    service: LocalSageMaker, register: Callable[..., str], conform: Conform
) -> None:
    """A group that holds versions is a ConflictException."""
    arn = register()
    response = service.create_model_package_group(
        ModelPackageGroupName="h",
        ModelPackageGroupDescription="text",
        Tags=[{"Key": "a", "Value": "b"}],
    )
    conform("CreateModelPackageGroup", response)
    group = response["ModelPackageGroupArn"]
    found = service.describe_model_package_group(ModelPackageGroupName=group)
    conform("DescribeModelPackageGroup", found)
    assert found["ModelPackageGroupDescription"] == "text"
    assert service.add_tags(ResourceArn=group, Tags=[{"Key": "c", "Value": "d"}]) == {
        "Tags": [{"Key": "a", "Value": "b"}, {"Key": "c", "Value": "d"}]
    }
    service.delete_tags(ResourceArn=group, TagKeys=["a"])
    assert service.list_tags(ResourceArn=group)["Tags"] == [{"Key": "c", "Value": "d"}]
    listed = service.list_model_package_groups(SortBy="Name", SortOrder="Descending")
    conform("ListModelPackageGroups", listed)
    names = [item["ModelPackageGroupName"] for item in listed["ModelPackageGroupSummaryList"]]
    assert names == ["h", "g"]
    service.delete_model_package_group(ModelPackageGroupName="h")
    with pytest.raises(ServiceError) as raised:
        service.delete_model_package_group(ModelPackageGroupName="g")
    assert raised.value.code == "ConflictException"
    service.delete_model_package(ModelPackageName=arn)
    service.delete_model_package_group(ModelPackageGroupName="g")
    with pytest.raises(ServiceError) as gone:
        service.describe_model_package_group(ModelPackageGroupName="g")
    assert gone.value.code == "ValidationException"


def test_models_are_kept_as_they_were_created(service: LocalSageMaker, conform: Conform) -> None:
    """CreateModel starts nothing here."""
    container = {"Image": "image", "ModelDataUrl": "s3://bucket/model.tar.gz"}
    response = service.create_model(
        ModelName="m", PrimaryContainer=container, EnableNetworkIsolation=True
    )
    conform("CreateModel", response)
    found = service.describe_model(ModelName="m")
    conform("DescribeModel", found)
    assert found["PrimaryContainer"] == container
    assert found["EnableNetworkIsolation"] is True
    conform("ListModels", service.list_models())
    with pytest.raises(ServiceError):
        service.create_model(ModelName="m")
    service.delete_model(ModelName="m")
    assert service.list_models() == {"Models": []}


THREADS, EACH = 16, 20


def test_versions_of_concurrent_writers_are_unique_and_have_no_gap(tmp_path: Path) -> None:
    """Sixteen threads, twenty registrations each, half of them over connections of their own."""
    settings = LocalSettings(home=tmp_path / ".pipelines", interpreter=Path(sys.executable))
    with LocalSageMaker(settings) as shared:
        shared.create_model_package_group(ModelPackageGroupName="g")

        def write(number: int) -> None:
            if number % 2:
                _register_many(shared)
            else:
                with LocalSageMaker(settings) as own:
                    _register_many(own)

        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(write, range(THREADS)))
        versions = sorted(_versions(shared))
    assert versions == list(range(1, THREADS * EACH + 1))


def _versions(service: LocalSageMaker) -> Iterator[int]:
    request: JsonObject = {"ModelPackageGroupName": "g", "MaxResults": 50}
    while True:
        found = service.list_model_packages(**request)
        for item in found["ModelPackageSummaryList"]:
            yield item["ModelPackageVersion"]
        if "NextToken" not in found:
            return
        request["NextToken"] = found["NextToken"]


def _register_many(service: LocalSageMaker) -> None:
    for _ in range(EACH):
        service.create_model_package(ModelPackageGroupName="g")
