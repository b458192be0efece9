"""`destroy` and `versions` against an account."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import Frame, deploy, mend, step, through
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE
from tests.functional.aws.proxy import Fault, refusal

SIMPLE = {
    "Version": "2020-12-01",
    "Parameters": [],
    "Steps": [{"Name": "train", "Type": "Training", "Arguments": {}}],
}
MARK = "sagemaker-pipelines-as-code"
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
    assert "was not made by this tool" in answer.err
    assert pipelines_left(account) == {PIPELINE}


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
