"""`models` and `models show` against an account: from a version back to what it was made of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tests.functional.aws.executions import Frame, deploy, mend, through
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE
from tests.functional.aws.proxy import Fault, refusal

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject
    from tests.functional.aws.account import Account
    from tests.functional.aws.command import Command

REPORT = "churn/runs/1/evaluate/report/evaluation.json"
FOLDER = {"Std:Join": {"On": "/", "Values": ["s3://raw", {"Get": "Parameters.month"}]}}
MADE = {"Get": "Steps.train.ModelArtifacts.S3ModelArtifacts"}


def reads(channel: str, uri: object) -> JsonObject:
    """Write a channel."""
    return {"ChannelName": channel, "DataSource": {"S3DataSource": {"S3Uri": uri}}}


EFS = {"FileSystemId": "fs-1", "DirectoryPath": "/pictures"}
DEFINITION = {
    "Version": "2020-12-01",
    "Parameters": [
        {"Name": "month", "Type": "String", "DefaultValue": "2026-01"},
        {"Name": "depth", "Type": "Integer", "DefaultValue": 3},
    ],
    "Steps": [
        {
            "Name": "features",
            "Type": "Processing",
            "Arguments": {
                "ProcessingInputs": [
                    {"InputName": "code", "S3Input": {"S3Uri": "s3://b/code/bundle.pyz"}},
                    {"InputName": "customers", "S3Input": {"S3Uri": "s3://b/customers/"}},
                    {"InputName": "months", "S3Input": {"S3Uri": FOLDER}},
                    {"InputName": "model", "S3Input": {"S3Uri": MADE}},
                ]
            },
        },
        {
            "Name": "gate",
            "Type": "Condition",
            "Arguments": {
                "IfSteps": [
                    {
                        "Name": "tune",
                        "Type": "Tuning",
                        "Arguments": {
                            "TrainingJobDefinition": {
                                "InputDataConfig": [
                                    reads("train", "s3://b/train/"),
                                    {
                                        "ChannelName": "pictures",
                                        "DataSource": {"FileSystemDataSource": EFS},
                                    },
                                ]
                            }
                        },
                    }
                ],
                "ElseSteps": [
                    {
                        "Name": "score",
                        "Type": "Transform",
                        "Arguments": {
                            "TransformInput": {
                                "DataSource": {"S3DataSource": {"S3Uri": "s3://b/batch/"}}
                            }
                        },
                    }
                ],
            },
        },
        {
            "Name": "register",
            "Type": "RegisterModel",
            "Arguments": {"ModelPackageGroupName": GROUP},
        },
    ],
}


def register(account: Account, **more: object) -> str:
    """Run the definition with a parameter of its own, register a version; return the execution."""
    deploy(account, DEFINITION)
    started = through(account).start_pipeline_execution(
        PipelineName=PIPELINE,
        PipelineParameters=[{"Name": "month", "Value": "2026-07"}],
    )
    execution = str(started["PipelineExecutionArn"])
    sagemaker, s3 = account.client("sagemaker"), account.client("s3")
    s3.put_object(Bucket=BUCKET, Key=REPORT, Body=json.dumps({"auc": 0.75, "by": {}}).encode())
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    statistics = {"ContentType": "application/json", "S3Uri": f"s3://{BUCKET}/{REPORT}"}
    sagemaker.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelMetrics={"ModelQuality": {"Statistics": statistics}},
        MetadataProperties={"GeneratedBy": execution, "CommitId": "abc123-dirty"},
        **more,
    )
    return execution


def test_a_version_leads_back_to_its_execution_commit_data_and_metrics(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Whatever reads it, in whatever branch; what another step made is no data from outside."""
    del project
    mend(account, [Frame("Succeeded")])
    execution = register(account)
    answer = pipelines("models", "show", f"{GROUP}/latest")
    assert answer.code == 0, answer.err
    words = [tuple(line.split(maxsplit=1)) for line in answer.out.splitlines()]
    assert [text for word, text in words if word == "data"] == [
        "customers: s3://b/customers/",
        "months: s3://raw/2026-07",
        "train: s3://b/train/",
        "pictures: fs-1:/pictures",
        "input: s3://b/batch/",
    ]
    assert ("commit", "abc123-dirty") in words
    assert ("parameter", "month = 2026-07") in words
    assert ("metric", "auc = 0.7500") in words
    assert f"{execution.rpartition('/')[2]} of churn (Succeeded)" in answer.out
    said = json.loads(pipelines("models", "show", f"{GROUP}/1", "--format", "json").out)
    assert said["commit"] == "abc123-dirty"
    assert said["data"]["months"] == ["s3://raw/2026-07"]


def test_a_version_whose_execution_is_gone_is_shown_all_the_same(
    account: Account, project: Path, pipelines: Command
) -> None:
    """With what the registry itself knows."""
    del project
    mend(account, [Frame("Succeeded")])
    register(account)
    missing = refusal("ResourceNotFound", "Pipeline execution does not exist.")
    account.proxy.faults.append(Fault("DescribePipelineExecution", missing, -1))
    answer = pipelines("models", "show", f"{GROUP}/1")
    assert answer.code == 0, answer.err
    assert "unknown, or no longer there" in answer.out
    assert "abc123-dirty" in answer.out


def test_models_lists_the_groups_of_the_deployed_pipelines(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Their versions with approval and metrics; a report that may not be read is left out."""
    del project
    assert "no models yet" in pipelines("models").out
    mend(account, [Frame("Succeeded")])
    register(account, ModelApprovalStatus="PendingManualApproval")
    lines = pipelines("models").out.splitlines()
    assert lines[0].split() == ["version", "approval", "registered", "auc"]
    assert lines[1].split()[:2] == [f"{GROUP}/1", "PendingManualApproval"]
    assert lines[1].split()[-1] == "0.7500"
    account.proxy.faults.append(Fault("GetObject", refusal("AccessDenied", "no", 403), -1))
    assert "0.7500" not in pipelines("models").out


def test_a_group_that_is_not_there_is_a_usage_error(
    account: Account, project: Path, pipelines: Command
) -> None:
    """In `models`, in `models show`, and in what gives a verdict."""
    del account, project
    for command in (("models", "nobody"), ("models", "show", "nobody/1"), ("approve", "nobody/1")):
        answer = pipelines(*command)
        assert answer.code == 2
        assert "there is no model package group `nobody`" in answer.err
