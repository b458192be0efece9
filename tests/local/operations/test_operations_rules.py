"""Requests of clients that keep to their shapes and break the rules of their Type."""

from __future__ import annotations

import pytest

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.json_types import JsonObject

ROLE = "arn:aws:iam::000000000000:role/r"
IMAGE = {"Image": "i:1"}
SERVERLESS = {
    "VariantName": "v",
    "ModelName": "m",
    "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
}
VPC = {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
CHANNEL = {
    "ChannelName": "a",
    "DataSource": {"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://b/x"}},
}
JOB: JsonObject = {
    "AlgorithmSpecification": {"TrainingImage": "i:1", "TrainingInputMode": "File"},
    "OutputDataConfig": {"S3OutputPath": "s3://b/o"},
    "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    "RoleArn": ROLE,
    "StoppingCondition": {"MaxRuntimeInSeconds": 60},
}


@pytest.mark.parametrize(
    ("operation", "request_", "said"),
    [
        ("create_model", {"PrimaryContainer": {}}, "`Image` or `ModelPackageName` is missing"),
        ("create_model", {"PrimaryContainer": IMAGE, "Containers": [IMAGE]}, "the model has both"),
        ("create_endpoint_config", {"VpcConfig": VPC}, "cannot stand with `VpcConfig`"),
        ("create_training_job", {"InputDataConfig": [CHANNEL] * 2}, "two channels are named `a`"),
    ],
)
def test_what_validate_refuses_is_refused_of_clients_too(
    service: LocalSageMaker, operation: str, request_: JsonObject, said: str
) -> None:
    """With the service's code; nothing is made."""
    service.create_model(ModelName="m", ExecutionRoleArn=ROLE, PrimaryContainer=IMAGE)
    others: dict[str, JsonObject] = {
        "create_model": {"ModelName": "other", "ExecutionRoleArn": ROLE},
        "create_endpoint_config": {"EndpointConfigName": "c", "ProductionVariants": [SERVERLESS]},
        "create_training_job": {"TrainingJobName": "j", **JOB},
    }
    with pytest.raises(ServiceError, match=said) as refused:
        getattr(service, operation)(**others[operation], **request_)
    assert refused.value.code == "ValidationException"
    assert [one["ModelName"] for one in service.list_models()["Models"]] == ["m"]
    assert service.list_endpoint_configs()["EndpointConfigs"] == []
    assert service.list_training_jobs()["TrainingJobSummaries"] == []


def test_a_version_has_no_tags_but_those_of_its_group(service: LocalSageMaker) -> None:
    """FACTS 6; a package without a group may have some."""
    service.create_model_package_group(ModelPackageGroupName="g")
    version = service.create_model_package(ModelPackageGroupName="g")["ModelPackageArn"]
    with pytest.raises(ServiceError, match="tag the group"):
        service.add_tags(ResourceArn=version, Tags=[{"Key": "a", "Value": "b"}])
    assert service.list_tags(ResourceArn=version)["Tags"] == []
