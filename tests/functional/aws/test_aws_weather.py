"""`upsert` in bad weather: what is refused is said, and what was begun can be finished."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import BUCKET, PIPELINE, edit
from tests.functional.aws.proxy import Fault, refusal
from tests.functional.aws.seen import Seen

ROOT = Path(__file__).parents[3]
UPSERT = ("upsert", "--yes")
S3 = {"HeadBucket", "HeadObject", "ListObjectsV2", "PutObject"}


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let botocore not wait between retries."""

    class Clock:
        @staticmethod
        def sleep(_: float) -> None:
            """Wait not at all."""

    monkeypatch.setattr("botocore.endpoint.time", Clock)


def is_whole(account: Account) -> bool:
    """Say whether all that the deployed definition names is in the bucket."""
    definition = account.pipeline(PIPELINE)["PipelineDefinition"]
    keys = account.keys(BUCKET)
    named = re.findall(rf"s3://{BUCKET}/(churn/(?:code|data)/[^\"]+)", definition)
    return len(named) == 4 and all(any(k.startswith(n) for k in keys) for n in named)


def change_everything(project: Path, number: int) -> None:
    """Change code, data and tags."""
    for path, old in (("steps/train.py", "training"), ("data/a.csv", "1,0")):
        edit(project / path, old, f"{old}{number}")
    edit(project / "pipeline.yaml", "tags: {", f"tags: {{n{number}: x, ")


def finish(account: Account, pipelines: Command) -> None:
    """Run upsert to its end; after that there is nothing left to do."""
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert is_whole(account)
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []


def dies_at(account: Account, pipelines: Command, number: int, *, done: bool) -> bool:
    """Run upsert with a network that dies at its `number`th call; whether it got that far.

    Args:
        account: where.
        pipelines: gives the command.
        number: from 1.
        done: whether that call is still done, and only its answer lost.
    """
    last = Fault("*", None, skip=number - 1, after=done)
    account.proxy.faults[:] = [last, Fault("*", None, -1, skip=number - 1)]
    code = pipelines(*UPSERT).code
    account.proxy.faults.clear()
    assert code in {0, 4}
    return code != 0


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True], ids=["lost", "done"])
def test_ended_at_any_call_the_next_upsert_finishes(
    account: Account, project: Path, pipelines: Command, *, done: bool
) -> None:
    """At call 1, 2, 3 … of one upsert after the other, until one gets through."""
    pipelines(*UPSERT)
    number, died = 0, True
    while died:
        change_everything(project, number := number + 1)
        died = dies_at(account, pipelines, number, done=done)
        assert is_whole(account)
        finish(account, pipelines)
    assert number > 10


@pytest.mark.slow
@pytest.mark.parametrize("done", [False, True], ids=["lost", "done"])
def test_ended_at_any_call_of_the_first_upsert(
    account: Account, project: Path, pipelines: Command, *, done: bool
) -> None:
    """Nothing is there yet but the bucket."""
    del project
    number = 0
    while dies_at(account, pipelines, number := number + 1, done=done):
        finish(account, pipelines)
        account.empty()
        account.make_bucket(BUCKET)
    assert number > 10


@pytest.mark.parametrize("operation", ["PutObject", "UpdatePipeline", "AddTags"])
def test_killed_the_next_upsert_finishes(
    account: Account, project: Path, pipelines: Command, operation: str
) -> None:
    """SIGKILL, while a call of this operation is under way."""
    pipelines(*UPSERT)
    change_everything(project, 1)
    running = subprocess.Popen(
        [sys.executable, "-m", "pipelines", *UPSERT],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def kill(seen: Seen) -> None:
        if seen.operation == operation:
            running.kill()

    account.proxy.on_call = kill
    assert running.wait(60) == -signal.SIGKILL
    account.proxy.on_call = lambda _: None
    assert is_whole(account)
    finish(account, pipelines)


@pytest.mark.parametrize("operation", ["CreatePipeline", "PutObject", "CreateModelPackageGroup"])
@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_reset_is_tried_again(
    account: Account, project: Path, pipelines: Command, operation: str, *, after: bool
) -> None:
    """Also when the call was done and only its answer was lost: the request token says so."""
    del project
    account.proxy.faults.append(Fault(operation, None, after=after))
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    account.proxy.seen.clear()
    assert pipelines("upsert").code == 0
    assert account.proxy.changes() == []


@pytest.mark.parametrize(
    "operation", ["HeadObject", "PutObject", "DescribePipeline", "CreatePipeline", "ListObjectsV2"]
)
@pytest.mark.parametrize("code", ["ThrottlingException", "InternalFailure"])
def test_throttling_and_failures_that_pass(
    account: Account, project: Path, pipelines: Command, operation: str, code: str
) -> None:
    """Three times each, then the sun shines."""
    del project
    status = 500 if code == "InternalFailure" else 429
    account.proxy.faults.append(Fault(operation, refusal(code, status=status), 3))
    assert pipelines(*UPSERT).code == 0


def test_two_upserts_at_once_do_not_mix(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The second deploys while the first is uploading: the first changes nothing more."""
    pipelines(*UPSERT)
    edit(project / "steps/train.py", "training", "first")
    other: list[str] = []

    def overtake(seen: Seen) -> None:
        if seen.operation != "PutObject" or other:
            return
        other.append("changed")
        definition = account.pipeline(PIPELINE)["PipelineDefinition"].replace("P30D", "P31D")
        account.client("sagemaker").update_pipeline(
            PipelineName=PIPELINE, PipelineDefinition=definition
        )

    account.proxy.on_call = overtake
    account.proxy.seen.clear()
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "has changed since" in answer.err
    assert account.proxy.changes() == ["PutObject"]
    account.proxy.on_call = lambda _: None
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert "P31D" not in account.pipeline(PIPELINE)["PipelineDefinition"]


def test_two_first_upserts_at_once(account: Account, project: Path, pipelines: Command) -> None:
    """The other made the pipeline between our reading and our creating it."""
    del project

    def overtake(seen: Seen) -> None:
        if seen.operation == "CreatePipeline":
            account.proxy.on_call = lambda _: None
            account.client("sagemaker").create_pipeline(
                PipelineName=PIPELINE,
                PipelineDefinition="{}",
                ClientRequestToken="0" * 32,
                RoleArn="arn:aws:iam::123456789012:role/jobs",
            )

    account.proxy.on_call = overtake
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "somebody else is changing the same thing" in answer.err


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
    assert "somebody else" in answer.err
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
    assert "made by somebody else" in answer.err
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
    assert "far-bucket lies in" in answer.err
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
    """Whether a rule starts the deploy pipeline is then unknown."""
    del project
    account.proxy.faults.append(
        Fault("ListRuleNamesByTarget", refusal("AccessDeniedException", "no"), -1)
    )
    assert pipelines(*UPSERT).code == 0
