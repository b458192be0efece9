"""`upsert` where it is refused: what, on which resource, and what to do about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.finishing import UPSERT, finish
from tests.functional.aws.project import BUCKET, PIPELINE, edit
from tests.functional.aws.proxy import Fault, refusal

pytestmark = pytest.mark.usefixtures("no_pauses")

S3 = {"HeadBucket", "HeadObject", "ListObjectsV2", "PutObject"}


def test_a_pipeline_of_somebody_else_is_asked_about(
    account: Account, project: Path, pipelines: Command
) -> None:
    """`--yes` is not enough; `--take-over` is, and afterwards it is ours."""
    del project
    account.client("sagemaker").create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition='{"Version": "2020-12-01", "Steps": []}',
        ClientRequestToken="0" * 32,
        RoleArn="arn:aws:iam::123456789012:role/theirs",
    )
    answer = pipelines(*UPSERT)
    assert answer.code == 2
    assert "was not created from this spec" in answer.err
    assert "--take-over" in answer.err
    assert account.proxy.changes() == []
    answer = pipelines(*UPSERT, "--take-over")
    assert answer.code == 0, answer.err
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []


def test_at_a_terminal_the_plan_is_asked_about(
    account: Account, project: Path, pipelines: Command
) -> None:
    """No is no; yes is yes; of somebody else's pipeline there is a question of its own."""
    del project
    answer = pipelines("upsert", typed="n\n")
    assert answer.code == 2
    assert "nothing was changed" in answer.err
    assert account.proxy.changes() == []
    account.client("sagemaker").create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition="{}",
        ClientRequestToken="0" * 32,
        RoleArn="arn:aws:iam::123456789012:role/theirs",
    )
    answer = pipelines("upsert", typed="n\n")
    assert answer.code == 2
    assert "was not created from this spec" in answer.err
    assert account.proxy.changes() == []
    answer = pipelines("upsert", typed="y\ny\n")
    assert answer.code == 0, answer.err
    assert account.tags(account.pipeline(PIPELINE)["PipelineArn"])["team"] == "ml"


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("GetCallerIdentity", "sts:GetCallerIdentity"),
        ("HeadBucket", "s3:ListBucket on s3://team-bucket"),
        ("HeadObject", "s3:GetObject on s3://team-bucket/churn/code/"),
        ("ListObjectsV2", "s3:ListBucket on s3://team-bucket"),
        ("DescribePipeline", "sagemaker:DescribePipeline on churn"),
        ("DescribeModelPackageGroup", "sagemaker:DescribeModelPackageGroup on churn-models"),
        ("PutObject", "s3:PutObject on s3://team-bucket/churn/"),
        ("CreateModelPackageGroup", "sagemaker:CreateModelPackageGroup on churn-models"),
        ("CreatePipeline", "sagemaker:CreatePipeline on churn"),
    ],
)
def test_each_missing_permission_is_named_with_its_resource(
    account: Account, project: Path, pipelines: Command, operation: str, action: str
) -> None:
    """Given it, the next upsert finishes."""
    del project
    code = "AccessDenied" if operation in S3 else "AccessDeniedException"
    account.proxy.faults.append(Fault(operation, refusal(code, "no", status=403), -1))
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert f"AWS refused {action}" in answer.err
    account.proxy.faults.clear()
    finish(account, pipelines)


@pytest.mark.parametrize("operation", ["UpdatePipeline", "AddTags", "DeleteTags", "ListTags"])
def test_each_missing_permission_of_an_update_is_named_too(
    account: Account, project: Path, pipelines: Command, operation: str
) -> None:
    """The ARN or the name of the pipeline stands beside it."""
    pipelines(*UPSERT)
    edit(project / "pipeline.yaml", "{team: ml}", "{owner: me}")
    account.proxy.faults.append(Fault(operation, refusal("AccessDeniedException", "no"), -1))
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert f"AWS refused sagemaker:{operation} on " in answer.err
    account.proxy.faults.clear()
    finish(account, pipelines)


def test_a_bucket_that_is_not_there(account: Account, project: Path, pipelines: Command) -> None:
    """Said before anything is changed, with the command that makes it."""
    edit(project / "pipeline.yaml", "bucket: team-bucket", "bucket: no-bucket")
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "there is no bucket no-bucket" in answer.err
    assert "aws s3 mb" in answer.err
    assert account.proxy.changes() == []


def test_a_bucket_in_another_region(account: Account, project: Path, pipelines: Command) -> None:
    """boto3 would follow it; SageMaker would not."""
    account.make_bucket("far-bucket", "eu-west-1")
    edit(project / "pipeline.yaml", "bucket: team-bucket", "bucket: far-bucket")
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "far-bucket is in" in answer.err
    assert "eu-west-1" in answer.err
    assert account.proxy.changes() == []


def test_a_bucket_of_another_account(account: Account, project: Path, pipelines: Command) -> None:
    """S3 answers 403 to a HEAD whose expected owner is wrong; moto does not look at it."""
    del project
    account.proxy.faults.append(Fault("HeadBucket", refusal("AccessDenied", status=403), -1))
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert f"s3:ListBucket on s3://{BUCKET}" in answer.err
    assert "your own account" in answer.err
    assert account.proxy.changes() == []


def test_a_role_of_another_account(account: Account, project: Path, pipelines: Command) -> None:
    """The credentials and the role are of different accounts: seldom meant, never possible."""
    del project
    answer = pipelines("upsert", "--env", "elsewhere", "--yes")
    assert answer.code == 4
    assert "444455556666" in answer.err
    assert "123456789012" in answer.err
    assert account.proxy.changes() == []


NOT_ASSUMABLE = (
    "ValidationException",
    (
        "Could not assume role arn:aws:iam::123456789012:role/jobs. Please ensure that the role "
        "exists and allows principal 'sagemaker.amazonaws.com' to assume the role."
    ),
)
NOT_PASSABLE = (
    "AccessDeniedException",
    (
        "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:PassRole "
        "on resource: arn:aws:iam::123456789012:role/jobs"
    ),
)


@pytest.mark.parametrize(
    ("refused", "said"),
    [
        (NOT_ASSUMABLE, "sagemaker.amazonaws.com (sts:AssumeRole)"),
        (NOT_PASSABLE, "allow iam:PassRole on arn:aws:iam::123456789012:role/jobs"),
    ],
    ids=["not-assumable", "not-passable"],
)
def test_a_role_that_sagemaker_may_not_have(
    account: Account, project: Path, pipelines: Command, refused: tuple[str, str], said: str
) -> None:
    """The service's refusals are made by the proxy: moto takes any role."""
    del project
    account.proxy.faults.append(Fault("CreatePipeline", refusal(*refused), -1))
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert said in answer.err


def test_expired_credentials_in_the_middle(
    account: Account, project: Path, pipelines: Command
) -> None:
    """After the uploads: the next upsert, with new ones, finishes."""
    del project
    account.proxy.faults.append(
        Fault("CreatePipeline", refusal("ExpiredTokenException", "The token is expired"), 1)
    )
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "the AWS credentials have expired" in answer.err
    account.proxy.seen.clear()
    assert pipelines(*UPSERT).code == 0
    assert account.proxy.changes() == ["CreatePipeline"]


def test_what_may_not_be_asked_of_eventbridge_is_not_fatal(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Whether an EventBridge rule starts the deploy pipeline is then unknown."""
    del project
    account.proxy.faults.append(
        Fault("ListRuleNamesByTarget", refusal("AccessDeniedException", "no"), -1)
    )
    assert pipelines(*UPSERT).code == 0
