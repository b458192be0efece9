"""`outputs` against an account: Describe says where, S3 says how much."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.aws.executions import Frame, deploy, mend, step, through
from tests.functional.aws.project import BUCKET, PIPELINE

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject
    from tests.functional.aws.account import Account
    from tests.functional.aws.command import Command

RUN = f"s3://{BUCKET}/churn/runs/1"
ROLE = "arn:aws:iam::123456789012:role/jobs"
DEFINITION: JsonObject = {
    "Version": "2020-12-01",
    "Steps": [
        {
            "Name": "evaluate",
            "Type": "Processing",
            "Arguments": {},
            "PropertyFiles": [
                {"PropertyFileName": "r", "OutputName": "report", "FilePath": "evaluation.json"}
            ],
        },
    ],
}


def start(account: Account, **members: object) -> str:
    """Start an execution whose one step has ended as this job; return its ARN."""
    sagemaker, s3 = account.client("sagemaker"), account.client("s3")
    outputs = [
        {
            "OutputName": name,
            "S3Output": {
                "S3Uri": f"{RUN}/evaluate/{name}",
                "LocalPath": f"/opt/ml/processing/output/{name}",
                "S3UploadMode": "EndOfJob",
            },
        }
        for name in ("report", "pictures")
    ]
    made = sagemaker.create_processing_job(
        ProcessingJobName="evaluate-1",
        ProcessingResources={
            "ClusterConfig": {"InstanceCount": 1, "InstanceType": "ml.m5.xlarge",
                              "VolumeSizeInGB": 1}
        },
        AppSpecification={"ImageUri": "image"},
        RoleArn=ROLE,
        ProcessingOutputConfig={"Outputs": outputs},
    )  # fmt: skip
    contents = {
        "report/evaluation.json": json.dumps({"auc": 0.75}).encode(),
        "pictures/roc.png": b"picture",
        "pictures_raw/other.png": b"another output",
    }
    for name, content in contents.items():
        s3.put_object(Bucket=BUCKET, Key=f"churn/runs/1/evaluate/{name}", Body=content)
    job = {"Metadata": {"ProcessingJob": {"Arn": made["ProcessingJobArn"]}}}
    mend(account, [Frame("Succeeded", [step("evaluate", "Succeeded", **{**job, **members})])])
    deploy(account, DEFINITION)
    started = through(account).start_pipeline_execution(PipelineName=PIPELINE)
    return str(started["PipelineExecutionArn"])


def test_status_and_a_version_name_what_there_is_to_see(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The command for the outputs, and the pictures behind a version, by their URIs."""
    del project
    arn = start(account)
    execution = arn.rpartition("/")[2]
    shown = pipelines("status", "latest")
    assert f"outputs, reports and metrics: pipelines outputs {execution}" in shown.out, shown.err
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="churn")
    sagemaker.create_model_package(
        ModelPackageGroupName="churn", MetadataProperties={"GeneratedBy": arn}
    )
    version = pipelines("models", "show", "churn/1")
    assert f"evaluate.pictures: {RUN}/evaluate/pictures" in version.out, version.err


def test_an_output_in_an_account_is_downloaded_to_be_opened(
    account: Account, project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a desktop its path is printed."""
    start(account)
    for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"):
        monkeypatch.delenv(name, raising=False)
    answer = pipelines("outputs", "evaluate.pictures", "--open")
    assert answer.code == 0, answer.err
    assert (project / answer.out.strip()).read_bytes() == b"picture"


def test_outputs_in_an_account_are_listed_and_downloaded(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A prefix of S3 is not an output of that name: `pictures_raw` is another one."""
    start(account)
    answer = pipelines("outputs", "--format", "json")
    assert answer.code == 0, answer.err
    said = json.loads(answer.out)
    found = {one["address"]: one for one in said["outputs"]}
    assert found["evaluate.pictures"]["uri"] == f"{RUN}/evaluate/pictures"
    assert [file["name"] for file in found["evaluate.pictures"]["files"]] == ["roc.png"]
    assert (found["evaluate.pictures"]["size"], found["evaluate.pictures"]["path"]) == (7, None)
    assert said["metrics"] == {"evaluate.report.auc": 0.75}
    copied = pipelines("outputs", "evaluate.pictures", "--copy", str(project / "kept"))
    assert copied.code == 0, copied.err
    assert (project / "kept/evaluate/pictures/roc.png").read_bytes() == b"picture"


def test_an_object_whose_name_leads_out_of_the_folder_is_not_downloaded(
    account: Account, project: Path, pipelines: Command
) -> None:
    """S3 takes any key."""
    start(account)
    key = "churn/runs/1/evaluate/pictures/../../../out.png"
    account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"x")
    answer = pipelines("outputs", "evaluate.pictures", "--copy", str(project / "kept"))
    assert answer.code == 2
    assert "would be written outside" in answer.err
    assert not list(project.rglob("*.png")), "neither it nor what could be written"


def test_the_page_of_an_execution_in_an_account_holds_its_pictures(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Read from S3; where it is written is on this machine."""
    start(account)
    answer = pipelines("report", "-o", str(project / "page.html"))
    assert answer.code == 0, answer.err
    page = (project / "page.html").read_text("utf-8")
    assert "data:image/png;base64,cGljdHVyZQ==" in page
    assert "evaluate.report.auc" in page
    assert f"{RUN}/evaluate/pictures" in page
    assert "file://" not in page


def test_executions_in_an_account_are_compared_by_their_metrics(
    account: Account, project: Path, pipelines: Command
) -> None:
    """And whatever else an account can tell."""
    del project
    start(account)
    through(account).start_pipeline_execution(PipelineName=PIPELINE)
    answer = pipelines("compare", "latest~1", "latest", "--all", "--format", "json")
    assert answer.code == 0, answer.err
    rows = {(row["section"], row["name"]): row["values"] for row in json.loads(answer.out)["rows"]}
    assert rows["metric", "evaluate.report.auc"] == [0.75, 0.75]
    assert rows["status", "evaluate"] == ["Succeeded", "Succeeded"]
