"""`destroy` and `versions` against an account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional.aws.account import ACCOUNT, Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import Frame, deploy, mend, step, through
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE, add_deployment, edit
from tests.functional.aws.proxy import Answer, Fault, refusal

SIMPLE = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "train", "Type": "Training", "Arguments": {}}],
}
MARK = "sagemaker-pipelines-as-code"
COPY_OF = f"{MARK}:copy-of"
ROLE = "arn:aws:iam::123456789012:role/jobs"


def fill(account: Account) -> None:
    """Make pipelines, a model version and an object, and what another team has."""
    sagemaker, s3 = account.client("sagemaker"), account.client("s3")
    for name in (PIPELINE, f"{PIPELINE}-deploy", "others"):
        sagemaker.create_pipeline(
            PipelineName=name,
            PipelineDefinition=json.dumps(SIMPLE),
            RoleArn=ROLE,
            ClientRequestToken="0" * 32,
            Tags=[] if name == "others" else [{"Key": MARK, "Value": PIPELINE}],
        )
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    s3.put_object(Bucket=BUCKET, Key=f"{PIPELINE}/code/a", Body=b"a")
    s3.put_object(Bucket=BUCKET, Key=f"{PIPELINE}-other/code/a", Body=b"a")


SERVING = {
    "Version": "2020-12-01",
    "Parameters": [{"Name": "name", "Type": "String", "DefaultValue": "churn-by-default"}],
    "Steps": [
        {
            "Name": "deploy",
            "Type": "Processing",
            "Arguments": {"Environment": {"DEPLOY_ENDPOINT": {"Get": "Parameters.name"}}},
        }
    ],
}
"""A pipeline that deploys to an endpoint that the spec does not name (any more)."""


def serve(account: Account, endpoint: str, made: str, copy_of: str | None = None) -> None:
    """Make an endpoint, its configuration and its model, these two under one name."""
    sagemaker = account.client("sagemaker")
    tags = [{"Key": COPY_OF, "Value": copy_of}] if copy_of else []
    image = {"Image": "i"}
    sagemaker.create_model(ModelName=made, ExecutionRoleArn=ROLE, PrimaryContainer=image, Tags=tags)
    variant = {"VariantName": "AllTraffic", "ModelName": made, "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName=made,
        ProductionVariants=[{**variant, "InstanceType": "ml.m5.large"}],
        Tags=tags,
    )
    sagemaker.create_endpoint(EndpointName=endpoint, EndpointConfigName=made, Tags=tags)


def serving_left(account: Account) -> list[str]:
    """Name the endpoints, the configurations and the models that are there."""
    sagemaker = account.client("sagemaker")
    return sorted(
        [
            *(one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]),
            *(
                one["EndpointConfigName"]
                for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]
            ),
            *(one["ModelName"] for one in sagemaker.list_models()["Models"]),
        ]
    )


def register(account: Account, tags: dict[str, str]) -> None:
    """Register a version in the group, which bears these tags."""
    sagemaker = account.client("sagemaker")
    group = sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)
    if tags:
        sagemaker.add_tags(
            ResourceArn=group["ModelPackageGroupArn"],
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    sagemaker.create_model_package(ModelPackageGroupName=GROUP)


def pipelines_left(account: Account) -> set[str]:
    """Name the pipelines that are there."""
    listed = account.client("sagemaker").list_pipelines()["PipelineSummaries"]
    return {summary["PipelineName"] for summary in listed}


def test_destroy_deletes_the_pipelines_and_keeps_models_and_data(
    account: Account, project: Path, pipelines: Command
) -> None:
    """What is deleted is shown before; a second time there is nothing left."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    account.proxy.seen.clear()
    asked = pipelines("destroy")
    assert asked.code == 2
    assert "--yes" in asked.err
    assert "delete pipeline churn-deploy\n  delete pipeline churn\n" in asked.out
    assert account.proxy.changes() == []
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    assert "account 123456789012, region us-east-1" in answer.err
    assert account.proxy.changes() == ["DeletePipeline"] * 2
    assert pipelines_left(account) == {"others"}
    assert account.keys(BUCKET) == [f"{PIPELINE}-other/code/a", f"{PIPELINE}/code/a"]
    assert "nothing to delete" in pipelines("destroy", "--yes").out


def test_data_go_only_when_that_is_asked_for(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Everything below the pipeline's prefix, and nothing beside it."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    answer = pipelines("destroy", "--yes", "--with-data")
    assert answer.code == 0, answer.err
    assert account.keys(BUCKET) == [f"{PIPELINE}-other/code/a"]


@pytest.mark.parametrize("calls", [0, 1])
def test_a_destroy_that_was_cut_off_is_finished_by_the_next(
    calls: int, account: Account, project: Path, pipelines: Command
) -> None:
    """Whatever was refused or lost; what is gone already is no error."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    denied = refusal("AccessDeniedException", "not authorized to perform: sagemaker:DeletePipeline")
    account.proxy.faults.append(Fault("DeletePipeline", denied, 1, skip=calls))
    broken = pipelines("destroy", "--yes")
    assert broken.code == 4
    assert "sagemaker:DeletePipeline" in broken.err
    account.proxy.faults.append(Fault("DeletePipeline", None, 1, after=True))
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    assert pipelines_left(account) == {"others"}


def test_a_pipeline_that_runs_is_not_destroyed(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The service would refuse it halfway; the remedy is `stop`."""
    del project
    fill(account)
    mend(account, [Frame("Executing", [step("train")])])
    execution = pipelines("start").out.split()[-1]
    account.proxy.seen.clear()
    answer = pipelines("destroy", "--yes")
    assert answer.code == 2
    assert f"pipelines stop {execution}" in answer.err
    assert account.proxy.changes() == []


def test_a_pipeline_of_somebody_else_is_left_alone(
    account: Account, project: Path, pipelines: Command
) -> None:
    """It has the name, and no tag of ours."""
    del project
    deploy(account, SIMPLE)
    mend(account, [Frame("Succeeded")])
    answer = pipelines("destroy", "--yes")
    assert answer.code == 2
    assert "was not created by this tool" in answer.err
    assert pipelines_left(account) == {PIPELINE}


def test_a_pipeline_of_another_spec_is_left_alone(
    account: Account, project: Path, pipelines: Command
) -> None:
    """`churn-deploy` may be a spec of its own: the tag says whose it is."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    arn = account.pipeline(f"{PIPELINE}-deploy")["PipelineArn"]
    tag = {"Key": MARK, "Value": f"{PIPELINE}-deploy"}
    account.client("sagemaker").add_tags(ResourceArn=arn, Tags=[tag])
    answer = pipelines("destroy", "--yes")
    assert answer.code == 2
    assert f"pipeline {PIPELINE}-deploy was not created by this tool for this spec" in answer.err
    assert pipelines_left(account) == {PIPELINE, f"{PIPELINE}-deploy", "others"}


def test_endpoints_go_with_what_was_made_for_them(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Configurations of earlier attempts too; what bears a similar name is another's."""
    add_deployment(project)
    fill(account)
    mend(account, [Frame("Succeeded")])
    serve(account, "churn", f"churn-{'a' * 12}")
    serve(account, "churn-old", f"churn-{'b' * 12}")
    account.client("sagemaker").delete_endpoint(EndpointName="churn-old")
    serve(account, "churn-eu", f"churn-eu-{'c' * 12}")
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    gone = [line for line in answer.out.splitlines() if line.startswith("deleted")]
    assert gone[:2] == ["deleted pipeline churn-deploy", "deleted endpoint churn"]
    assert gone[-1] == "deleted pipeline churn"
    assert len(gone) == 7
    assert serving_left(account) == ["churn-eu", *[f"churn-eu-{'c' * 12}"] * 2]


def test_an_endpoint_of_somebody_else_is_left_alone(
    account: Account, project: Path, pipelines: Command
) -> None:
    """It has the name, but its configuration is not called as ours are."""
    add_deployment(project)
    fill(account)
    mend(account, [Frame("Succeeded")])
    serve(account, "churn", "handmade")
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    assert "keep endpoint churn: it was not created by this tool" in answer.out
    assert serving_left(account) == ["churn", "handmade", "handmade"]


def test_what_shares_the_beginning_of_a_long_name_is_left_alone(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Configurations keep 50 characters of the name: two endpoints may share them."""
    blue, green = f"{'long' * 13}-blue", f"{'long' * 13}-green"
    add_deployment(project)
    edit(project / "pipeline.yaml", "endpoint: churn", f"endpoint: {blue}")
    fill(account)
    mend(account, [Frame("Succeeded")])
    serve(account, blue, f"{blue[:50]}-{'a' * 12}")
    serve(account, green, f"{green[:50]}-{'b' * 12}")
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    assert serving_left(account) == sorted([green, *[f"{green[:50]}-{'b' * 12}"] * 2])


def test_the_endpoint_that_is_deployed_to_goes_though_the_spec_names_it_no_more(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Nobody would look for it any more, and it costs money."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    account.client("sagemaker").update_pipeline(
        PipelineName=f"{PIPELINE}-deploy", PipelineDefinition=json.dumps(SERVING)
    )
    serve(account, "churn-by-default", f"churn-by-default-{'a' * 12}")
    assert pipelines("destroy", "--yes").code == 0
    assert serving_left(account) == []


def test_an_endpoint_that_a_parameter_names_is_found(
    account: Account, project: Path, pipelines: Command
) -> None:
    """By the parameter's default, also when no pipeline is there any more."""
    add_deployment(project)
    edit(project / "pipeline.yaml", "endpoint: churn", "endpoint: churn-${parameters.stage}")
    stage = "\nparameters:\n  stage: {type: string, default: test}\n\nsteps:"
    edit(project / "pipeline.yaml", "\nsteps:", stage)
    mend(account, [Frame("Succeeded")])
    serve(account, "churn-test", f"churn-test-{'a' * 12}")
    assert pipelines("destroy", "--yes").code == 0
    assert serving_left(account) == []


def test_models_go_when_that_is_asked_for(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The versions first, their group last; what loses its archives is said before."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    register(account, {MARK: PIPELINE})
    asked = pipelines("destroy", "--with-data")
    assert (
        f"the versions of {GROUP} stay in the registry, but their archives are deleted" in asked.out
    )
    asked = pipelines("destroy", "--with-data", "--with-models")
    assert "stay in the registry" not in asked.out
    for operation in ("DeleteModelPackage", "DeleteModelPackageGroup"):  # moto has neither
        account.proxy.faults.append(Fault(operation, Answer(200, b"{}")))
    answer = pipelines("destroy", "--yes", "--with-models")
    assert answer.code == 0, answer.err
    assert account.proxy.changes()[-2:] == ["DeleteModelPackage", "DeleteModelPackageGroup"]


def test_models_of_somebody_else_are_left_alone(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A group that several pipelines register in is not one pipeline's to delete."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    register(account, {})
    answer = pipelines("destroy", "--yes", "--with-models")
    assert answer.code == 0, answer.err
    assert f"keep model package group {GROUP}: it was not created by this tool" in answer.out
    listed = account.client("sagemaker").list_model_packages(ModelPackageGroupName=GROUP)
    assert len(listed["ModelPackageSummaryList"]) == 1


def test_a_bucket_of_another_account_is_not_emptied(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Every call says whose bucket it has to be."""
    del project
    fill(account)
    mend(account, [Frame("Succeeded")])
    account.proxy.seen.clear()
    assert pipelines("destroy", "--yes", "--with-data").code == 0
    calls = [seen for seen in account.proxy.seen if seen.service == "s3"]
    assert {seen.operation for seen in calls} == {"ListObjectsV2", "DeleteObjects"}
    assert {seen.headers.get("x-amz-expected-bucket-owner") for seen in calls} == {ACCOUNT}


def test_a_second_destroy_is_no_repetition_of_the_first(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A token that the service has seen would be answered as before: nothing would be deleted."""
    del project
    mend(account, [Frame("Succeeded")])
    for _ in range(2):
        fill(account)
        assert pipelines("destroy", "--yes").code == 0
        account.client("sagemaker").delete_pipeline(
            PipelineName="others", ClientRequestToken="0" * 32
        )
    deletions = [seen for seen in account.proxy.seen if seen.operation == "DeletePipeline"]
    assert len({seen.json()["ClientRequestToken"] for seen in deletions}) == 4


def test_versions_are_listed_the_newest_first(
    account: Account, project: Path, pipelines: Command
) -> None:
    """With their numbers, who made them, and when."""
    del project
    missing = pipelines("versions")
    assert missing.code == 2
    assert "pipelines upsert" in missing.err
    deploy(account, SIMPLE)
    through(account).update_pipeline(
        PipelineName=PIPELINE, PipelineDefinition=json.dumps({**SIMPLE, "Metadata": {}})
    )
    answer = pipelines("versions")
    assert answer.code == 0, answer.err
    lines = answer.out.splitlines()
    assert lines[0].split() == ["version", "deployed", "by", "last", "execution"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "1"]
    assert "fake-user-profile-name" in lines[1]
    rows = json.loads(pipelines("versions", "--format", "json", "--last", "1").out)
    assert [row["version"] for row in rows] == [2]
