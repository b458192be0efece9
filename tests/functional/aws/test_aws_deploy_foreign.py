"""`deploy` in an account, of versions that others registered there."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import GROUP, add_deployment

PREFIX = {"S3Uri": "s3://theirs/model/", "S3DataType": "S3Prefix", "CompressionType": "None"}
PLAIN = {"Image": "own", "ModelDataSource": {"S3DataSource": PREFIX}}
ARCHIVE = {"Image": "own", "ModelDataUrl": "s3://theirs/model.tar.gz"}


def register(account: Account, *containers: JsonObject) -> None:
    """Register an approved version with these containers; with none it is only a record."""
    what = {"InferenceSpecification": {"Containers": [*containers]}} if containers else {}
    account.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus="Approved", **what
    )


@pytest.fixture
def group(account: Account, project: Path, pipelines: Command) -> Account:
    """Set the pipeline up, with a deployment and an empty group."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    account.proxy.seen.clear()
    return account


@pytest.mark.parametrize("container", [PLAIN, ARCHIVE])
def test_a_version_of_others_is_deployed_by_its_package(
    group: Account, pipelines: Command, container: JsonObject
) -> None:
    """SageMaker takes image and data out of the package; nothing of it is repeated."""
    register(group, container)
    answer = pipelines("deploy", "--yes")
    assert answer.code == 0, answer.err
    assert f"churn: {GROUP}/1 is live" in answer.out
    sagemaker = group.client("sagemaker")
    (model,) = sagemaker.list_models()["Models"]
    described = sagemaker.describe_model(ModelName=model["ModelName"])
    container = described["PrimaryContainer"]
    assert container["ModelPackageName"].endswith(f"{GROUP}/1")
    assert not {"Image", "ModelDataUrl", "ModelDataSource"} & {*container}


@pytest.mark.parametrize("containers", [(), (PLAIN, ARCHIVE)])
def test_a_version_that_cannot_be_served_is_passed_over_with_its_reason(
    group: Account, pipelines: Command, containers: tuple[JsonObject, ...]
) -> None:
    """Nothing is made of it, and the version below is live."""
    register(group, ARCHIVE)
    register(group, *containers)
    answer = pipelines("deploy", "--yes")
    assert answer.code == 5
    assert "version 2 failed on churn: it " in answer.err
    assert f"churn: {GROUP}/1 is live" in answer.out
    assert len(group.client("sagemaker").list_models()["Models"]) == 1
    again = pipelines("deploy", "--yes")
    assert again.code == 0, again.err
    assert f"{GROUP}/2 is newer and failed here" in again.out
