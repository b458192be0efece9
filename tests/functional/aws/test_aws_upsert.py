"""`upsert` as a user types it, against an account of moto's behind a recording proxy."""

from __future__ import annotations

import json
from pathlib import Path

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE, edit
from tests.functional.aws.seen import Seen

UPSERT = ("upsert", "--yes")


def test_the_first_upsert_makes_everything(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Code, data, group and pipeline, in that order; account and region are named."""
    del project
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert "account 123456789012, region us-east-1" in answer.err
    changes = account.proxy.changes()
    assert changes == ["PutObject"] * 5 + ["CreateModelPackageGroup", "CreatePipeline"]
    described = account.pipeline(PIPELINE)
    assert described["RoleArn"] == "arn:aws:iam::123456789012:role/jobs"
    assert described["PipelineDescription"] == "Who leaves?"
    assert account.tags(described["PipelineArn"])["team"] == "ml"
    definition = json.loads(described["PipelineDefinition"])
    assert [step["Name"] for step in definition["Steps"]][:2] == ["features", "train"]
    for key in account.keys(BUCKET):
        assert key in described["PipelineDefinition"] or key.endswith(".csv")


def test_everything_that_the_definition_names_is_there(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Each bundle is the zip that compile makes; each data file is its bytes."""
    pipelines(*UPSERT)
    keys = account.keys(BUCKET)
    assert len([key for key in keys if key.endswith("/bundle.pyz")]) == 3
    data = [key for key in keys if key.startswith("churn/data/customers/")]
    assert [key.rpartition("/")[2] for key in data] == ["a.csv", "b.csv"]
    s3 = account.client("s3")
    body = s3.get_object(Bucket=BUCKET, Key=data[0])["Body"].read()
    assert body == (project / "data/a.csv").read_bytes()


def test_a_second_upsert_changes_nothing(
    account: Account, project: Path, pipelines: Command
) -> None:
    """No call that changes anything, and no question."""
    del project
    pipelines(*UPSERT)
    account.proxy.seen.clear()
    answer = pipelines("upsert")
    assert answer.code == 0, answer.err
    assert account.proxy.changes() == []
    assert len(account.proxy.seen) < 15


def test_one_changed_script_is_one_upload_and_one_update(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Nothing else is uploaded, and the parallelism that somebody set stays."""
    pipelines(*UPSERT)
    limits = {"MaxParallelExecutionSteps": 3}
    sagemaker = account.client("sagemaker")
    sagemaker.update_pipeline(PipelineName=PIPELINE, ParallelismConfiguration=limits)
    account.proxy.seen.clear()
    edit(project / "steps/train.py", "training", "training more")
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert account.proxy.changes() == ["PutObject", "UpdatePipeline"]
    assert account.pipeline(PIPELINE)["ParallelismConfiguration"] == limits


def test_one_changed_data_file_uploads_its_folder_under_a_new_name(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The old folder stays: an execution may be reading it."""
    pipelines(*UPSERT)
    before = set(account.keys(BUCKET))
    account.proxy.seen.clear()
    edit(project / "data/a.csv", "1,0", "1,1")
    assert pipelines(*UPSERT).code == 0
    assert account.proxy.changes() == ["PutObject"] * 2 + ["UpdatePipeline"]
    assert before < set(account.keys(BUCKET))


def test_data_that_change_while_they_are_uploaded_are_not_deployed(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Under an address of other content they would be taken for that for ever."""

    def meanwhile(seen: Seen) -> None:
        if seen.operation == "HeadBucket":
            (project / "data/b.csv").write_text("id,left\n2,0\n")

    account.proxy.on_call = meanwhile
    answer = pipelines(*UPSERT)
    assert answer.code == 2
    assert "the files of data customers were changed while they were uploaded" in answer.err
    assert [key for key in account.keys(BUCKET) if key.startswith("churn/data/")] == []
    assert "CreatePipeline" not in account.proxy.changes()
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err


def test_without_a_terminal_it_wants_yes(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The plan is shown, and nothing is changed."""
    del project
    answer = pipelines("upsert")
    assert answer.code == 2
    assert "--yes" in answer.err
    assert PIPELINE in answer.out
    assert account.proxy.changes() == []


def test_tags_follow_the_spec(account: Account, project: Path, pipelines: Command) -> None:
    """Added by AddTags, removed by DeleteTags: UpdatePipeline takes none. Others' tags stay."""
    pipelines(*UPSERT)
    arn = account.pipeline(PIPELINE)["PipelineArn"]
    sagemaker = account.client("sagemaker")
    sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "cost", "Value": "of somebody"}])
    edit(project / "pipeline.yaml", "{team: ml}", "{owner: me}")
    account.proxy.seen.clear()
    assert pipelines(*UPSERT).code == 0
    assert {"AddTags", "DeleteTags"} < set(account.proxy.changes())
    tags = account.tags(arn)
    assert (tags["owner"], tags["cost"]) == ("me", "of somebody")
    assert "team" not in tags
    group = sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)
    assert account.tags(group["ModelPackageGroupArn"])["owner"] == "me"
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []


def test_a_large_definition_goes_through_s3(
    account: Account, project: Path, pipelines: Command
) -> None:
    """From 100 KB on; what is deployed is the same text, and the next upsert knows it again."""
    steps = "".join(
        f"\n  tell-{number}:\n    kind: fail\n    message: {'x' * 2900}{number}\n"
        for number in range(36)
    )
    edit(project / "pipeline.yaml", "\nenvironments:", f"{steps}\nenvironments:")
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    create = next(s for s in account.proxy.seen if s.operation == "CreatePipeline").json()
    assert "PipelineDefinition" not in create
    key = create["PipelineDefinitionS3Location"]["ObjectKey"]
    assert key.startswith("churn/definitions/")
    assert len(account.pipeline(PIPELINE)["PipelineDefinition"]) > 100 * 1024
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []


def test_a_role_outside_the_definition_is_updated_too(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The pipeline's role is no part of the definition's text."""
    pipelines(*UPSERT)
    edit(project / "pipeline.yaml", "role/jobs", "role/other")
    account.proxy.seen.clear()
    assert pipelines(*UPSERT).code == 0
    assert account.pipeline(PIPELINE)["RoleArn"].endswith("role/other")
    assert account.proxy.changes() == ["UpdatePipeline"]


def test_a_description_is_written_with_the_next_change(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Alone it is worth no version."""
    pipelines(*UPSERT)
    edit(project / "pipeline.yaml", "Who leaves?", "Who stays?")
    account.proxy.seen.clear()
    assert "nothing to do" in pipelines(*UPSERT).out
    assert account.proxy.changes() == []
    edit(project / "steps/train.py", "training", "training more")
    assert pipelines(*UPSERT).code == 0
    assert account.pipeline(PIPELINE)["PipelineDescription"] == "Who stays?"
