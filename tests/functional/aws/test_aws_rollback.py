"""`rollback` against an account: an earlier definition as a new version, shown before."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import deploy, through
from tests.functional.aws.project import BUCKET, PIPELINE, edit
from tests.functional.aws.proxy import Fault, refusal
from tests.functional.aws.seen import Seen

CODE = f"s3://{BUCKET}/{PIPELINE}/code/train/0123/bundle.pyz"


def definition(instance_type: str) -> dict[str, Any]:
    """Write a definition of one step."""
    arguments = {
        "ResourceConfig": {"InstanceType": instance_type, "InstanceCount": 1},
        "InputDataConfig": [
            {"ChannelName": "code", "DataSource": {"S3DataSource": {"S3Uri": CODE}}}
        ],
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [],
        "Steps": [{"Name": "train", "Type": "Training", "Arguments": arguments}],
    }


@pytest.fixture
def deployed(account: Account, project: Path) -> Account:
    """Deploy two versions: the first on a small machine, the second on a large one."""
    del project
    account.client("s3").put_object(Bucket=BUCKET, Key=CODE.split("/", 3)[3], Body=b"code")
    arn = deploy(account, definition("ml.m5.xlarge"))
    tag = {"Key": "sagemaker-pipelines-as-code", "Value": PIPELINE}
    account.client("sagemaker").add_tags(ResourceArn=arn, Tags=[tag])
    through(account).update_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition=json.dumps(definition("ml.g5.xlarge")),
        PipelineDescription="Who leaves?",
        ParallelismConfiguration={"MaxParallelExecutionSteps": 3},
    )
    account.proxy.seen.clear()
    return account


def instance_type(account: Account) -> str:
    """Read what is deployed."""
    document = json.loads(account.pipeline(PIPELINE)["PipelineDefinition"])
    return str(document["Steps"][0]["Arguments"]["ResourceConfig"]["InstanceType"])


def test_a_rollback_is_shown_and_becomes_a_new_version(
    deployed: Account, pipelines: Command
) -> None:
    """The difference in a spec's words; the parallelism that somebody set is sent again.

    So are role and description: what is left out of an update may be lost.
    """
    answer = pipelines("rollback", "1", "--yes")
    assert answer.code == 0, answer.err
    assert "train.instance_type: ml.g5.xlarge → ml.m5.xlarge" in answer.out
    assert "account 123456789012, region us-east-1" in answer.err
    assert deployed.proxy.changes() == ["UpdatePipeline"]
    assert instance_type(deployed) == "ml.m5.xlarge"
    described = deployed.pipeline(PIPELINE)
    assert described["ParallelismConfiguration"] == {"MaxParallelExecutionSteps": 3}
    sent = deployed.proxy.seen[-1].json()
    assert sent["RoleArn"] == "arn:aws:iam::123456789012:role/jobs"
    assert sent["PipelineDescription"] == "Who leaves?"
    rows = json.loads(pipelines("versions", "--format", "json").out)
    assert [row["version"] for row in rows] == [3, 2, 1]
    again = pipelines("rollback", "1")
    assert again.code == 0
    assert "nothing to do" in again.out


def test_a_pipeline_of_somebody_else_is_not_rolled_back(
    account: Account, project: Path, pipelines: Command
) -> None:
    """It bears the name, and no tag of this spec's."""
    del project
    deploy(account, definition("ml.m5.xlarge"))
    through(account).update_pipeline(
        PipelineName=PIPELINE, PipelineDefinition=json.dumps(definition("ml.g5.xlarge"))
    )
    account.proxy.seen.clear()
    answer = pipelines("rollback", "1", "--yes")
    assert answer.code == 2
    assert "was not created from this spec" in answer.err
    assert account.proxy.changes() == []


def test_a_rollback_names_the_files_that_it_brings_back(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Of code and of data; where the old bundle cannot be read, it says less."""
    assert pipelines("upsert", "--yes").code == 0
    edit(project / "steps/train.py", "training", "training more")
    edit(project / "data/a.csv", "1,0", "1,1")
    (project / "data/c.csv").write_text("id,left\n")
    assert pipelines("upsert", "--yes").code == 0
    answer = pipelines("rollback", "1")
    assert "train.code: steps/train.py\n" in answer.out
    assert "features.inputs.customers: a.csv, c.csv (gone)\n" in answer.out
    assert "train: code changed: steps/train.py" in answer.out
    account.proxy.faults.append(Fault("GetObject", refusal("AccessDenied", "no", 403), -1))
    assert "train.code: s3://" in pipelines("rollback", "1").out


def test_a_rollback_wants_yes_without_a_terminal(deployed: Account, pipelines: Command) -> None:
    """It is shown, and nothing is changed."""
    answer = pipelines("rollback", "1")
    assert answer.code == 2
    assert "--yes" in answer.err
    assert "ml.g5.xlarge → ml.m5.xlarge" in answer.out
    assert deployed.proxy.changes() == []


def test_a_version_that_is_not_there_is_a_usage_error(
    deployed: Account, pipelines: Command
) -> None:
    """`versions` says which there are."""
    answer = pipelines("rollback", "9", "--yes")
    assert answer.code == 2
    assert "has no version 9" in answer.err
    assert deployed.proxy.changes() == []


def test_a_version_whose_code_is_gone_is_not_put_back(
    deployed: Account, pipelines: Command
) -> None:
    """Somebody emptied the bucket: its next execution would fail."""
    deployed.client("s3").delete_object(Bucket=BUCKET, Key=CODE.split("/", 3)[3])
    answer = pipelines("rollback", "1", "--yes")
    assert answer.code == 2
    assert CODE in answer.err
    assert deployed.proxy.changes() == []


def test_a_version_whose_data_is_gone_is_not_put_back(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The data of a version is as much of it as its code."""
    assert pipelines("upsert", "--yes").code == 0
    s3 = account.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix=f"{PIPELINE}/data/")["Contents"]
    edit(project / "data/a.csv", "1,0", "1,1")
    assert pipelines("upsert", "--yes").code == 0
    for entry in listed:
        s3.delete_object(Bucket=BUCKET, Key=entry["Key"])
    account.proxy.seen.clear()
    answer = pipelines("rollback", "1", "--yes")
    assert answer.code == 2
    assert f"version 1 needs s3://{BUCKET}/{PIPELINE}/data/" in answer.err
    assert account.proxy.changes() == []


def test_a_rollback_refuses_when_somebody_was_faster(deployed: Account, pipelines: Command) -> None:
    """What was shown would not be what is done."""
    looks: list[int] = []

    def another(seen: Seen) -> None:
        if seen.operation == "HeadObject" and not looks:
            looks.append(1)
            through(deployed).update_pipeline(
                PipelineName=PIPELINE,
                PipelineDefinition=json.dumps(definition("ml.p5.48xlarge")),
            )

    deployed.proxy.on_call = another
    answer = pipelines("rollback", "1", "--yes")
    assert answer.code == 4
    assert "has changed since" in answer.err
    assert instance_type(deployed) == "ml.p5.48xlarge"


def test_a_refused_rollback_leaves_what_was_there(deployed: Account, pipelines: Command) -> None:
    """The action that is missing is named."""
    said = "User: me is not authorized to perform: sagemaker:UpdatePipeline on resource: x"
    deployed.proxy.faults.append(Fault("UpdatePipeline", refusal("AccessDeniedException", said)))
    answer = pipelines("rollback", "1", "--yes")
    assert answer.code == 4
    assert "sagemaker:UpdatePipeline" in answer.err
    assert instance_type(deployed) == "ml.g5.xlarge"
