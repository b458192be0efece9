"""`ci plan` and `ci apply` against moto, whose CloudFormation has change sets.

moto passes over most resources of the templates (CodePipeline, CodeConnections): what they become
is not shown here, nor anywhere in these tests. Its stacks change at once. States and refusals that
it does not know are in tests/unit/account/test_account_stacks.py and test_account_change_sets.py,
by botocore's Stubber.
"""

from __future__ import annotations

import io
import json
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from pipelines.account.stacks import following
from pipelines.infra import wheel
from tests.functional.aws.account import ACCOUNT, Account
from tests.functional.aws.command import Answer, Command

pytestmark = pytest.mark.filterwarnings("ignore:Tried to parse:UserWarning")

SPEC = f"""\
spec: 1
pipeline: churn
aws:
  region: us-east-1
  role: arn:aws:iam::{ACCOUNT}:role/churn
  bucket: churn-ml
steps:
  train:
    kind: training
    image: pytorch-2.13-cpu
    instance_type: ml.m5.large
    script: steps/train.py
"""
OTHER = "444455556666"
PROD = f"""\
environments:
  prod:
    aws:
      role: arn:aws:iam::{OTHER}:role/churn
      bucket: churn-prod-ml
"""
TRUST = {"Version": "2012-10-17", "Statement": []}


@pytest.fixture
def repository(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a repository with a spec, and stand in it."""
    del account
    monkeypatch.setattr(following, "_PAUSE", 0.0)
    folder = tmp_path / "churn"
    (folder / "steps").mkdir(parents=True)
    (folder / "steps" / "train.py").write_text('"""Train."""\n')
    (folder / "pipeline.yaml").write_text(SPEC)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)  # noqa: S607 - git by its name
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def generated(repository: Path, pipelines: Command) -> Path:
    """Generate the templates, for a source that moto knows."""
    answer = pipelines("ci", "init", "--source", "s3")
    assert answer.code == 0, answer.err
    return repository / "infra"


def _stacks(account: Account) -> dict[str, str]:
    found = account.client("cloudformation").list_stacks()["StackSummaries"]
    gone = "DELETE_COMPLETE"
    return {one["StackName"]: one["StackStatus"] for one in found if one["StackStatus"] != gone}


def _lines(text: str, head: str) -> list[str]:
    return [line for line in text.splitlines() if line.startswith(head)]


def test_plan_shows_the_stacks_and_leaves_nothing_behind(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """The change set is deleted, and so is the stack that CloudFormation makes to hold it."""
    del generated
    answer = pipelines("ci", "plan", "--check")
    assert answer.code == 6, answer.err
    assert "pipelines-shared will be created" in answer.out
    assert "+  PolicyOfBucketChurnMl  AWS::S3::BucketPolicy  IAM" in answer.out
    assert "pipelines-churn will be created after pipelines-shared" in answer.out
    assert _stacks(account) == {}
    assert account.client("s3").list_buckets()["Buckets"] == []


def test_apply_without_an_answer_changes_nothing(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """Neither a no nor a missing terminal leaves a stack or a change set."""
    del generated
    for answer in (pipelines("ci", "apply"), pipelines("ci", "apply", typed="n\n")):
        assert answer.code == 2
        assert "apply pipelines-shared in account 123456789012, region us-east-1" in answer.err
    assert _stacks(account) == {}


def test_apply_makes_the_stacks_in_order_with_the_tool_in_the_bucket(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """The shared stack, its wheel, the pipeline's stack; a second run does nothing."""
    del generated
    answer = pipelines("ci", "apply", "--yes")
    assert answer.code == 0, answer.err
    told = [line.partition(":")[0] for line in _lines(answer.out, "pipelines-")]
    assert told == [
        "pipelines-shared will be created",
        "pipelines-shared is created",
        "pipelines-churn will be created",
        "pipelines-churn is created",
    ]
    assert _stacks(account) == {
        "pipelines-shared": "CREATE_COMPLETE",
        "pipelines-churn": "CREATE_COMPLETE",
    }
    (key,) = account.keys("churn-ml")
    folder, _, file = key.rpartition("/")
    assert re.fullmatch(r"ci/tool/[0-9a-f]{16}", folder)
    assert file == "sagemaker_pipelines_as_code-0.1.0-py3-none-any.whl"
    assert (
        key
        in account.client("cloudformation").get_template(StackName="pipelines-churn")[
            "TemplateBody"
        ]
    )
    content = account.client("s3").get_object(Bucket="churn-ml", Key=key)["Body"].read()
    assert "pipelines/__main__.py" in zipfile.ZipFile(io.BytesIO(content)).namelist()
    account.proxy.seen.clear()
    again = pipelines("ci", "apply", "--yes")
    assert _lines(again.out, "pipelines-") == [
        "pipelines-shared: nothing changes",
        "pipelines-churn: nothing changes",
    ]
    assert not {"ExecuteChangeSet", "PutObject"} & set(account.proxy.operations())
    assert pipelines("ci", "plan", "--check").code == 0


def test_first_template_needs_no_bucket(generated: Path) -> None:
    """The first stack makes the bucket, so its template has to fit into the request."""
    (shared,) = generated.glob("shared.*.yaml")
    assert len(shared.read_bytes()) < 51_200


def test_large_template_goes_by_the_shared_bucket_and_is_removed_again(
    account: Account, generated: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CloudFormation takes 51,200 bytes in a request, and copies what lies in S3."""
    shared = next(generated.glob("shared.*.yaml"))
    limit = shared.stat().st_size
    assert (generated / "churn.yaml").stat().st_size > limit
    monkeypatch.setattr("pipelines.account.stacks.stack_template.INLINE_BYTES", limit)
    answer = pipelines("ci", "apply", "--yes")
    assert answer.code == 0, answer.err
    uploads = [seen.path for seen in account.proxy.seen if seen.operation == "PutObject"]
    assert any("/ci/templates/pipelines-churn-" in path for path in uploads)
    assert all(key.startswith("ci/tool/") for key in account.keys("churn-ml"))


def test_parameters_are_kept_by_later_runs(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """What somebody chose stays; what nobody chose follows the template's default."""
    del generated
    assert pipelines("ci", "apply", "--yes", "--parameter", "RunsExpireAfterDays=7").code == 0
    pipelines("ci", "apply", "--yes")
    found = account.client("cloudformation").describe_stacks(StackName="pipelines-shared")
    values = {
        one["ParameterKey"]: one["ParameterValue"] for one in found["Stacks"][0]["Parameters"]
    }
    assert values["RunsExpireAfterDays"] == "7"


def test_unknown_parameter_is_refused(generated: Path, pipelines: Command) -> None:
    """With the one that was probably meant."""
    del generated
    answer = pipelines("ci", "plan", "--parameter", "RunsExpireAfterDay=7")
    assert answer.code == 2
    assert "did you mean `RunsExpireAfterDays`?" in answer.err


def _refusal(account: Account, answer: Answer) -> str:
    """Return what a refusal says; nothing was begun."""
    assert answer.code == 2, answer.err
    assert "CreateChangeSet" not in account.proxy.operations()
    return answer.err


def test_folder_without_templates_is_refused(
    account: Account, repository: Path, pipelines: Command
) -> None:
    """`ci init` comes first."""
    del repository
    refusal = _refusal(account, pipelines("ci", "apply"))
    assert "there are no templates in infra" in refusal
    assert "ci init" in refusal


def test_template_that_was_edited_is_refused(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """What is applied is what the specs say."""
    template = generated / "churn.yaml"
    template.write_text(template.read_text().replace("sagemaker:", "s3:", 1))
    refusal = _refusal(account, pipelines("ci", "apply", "--yes"))
    assert "`infra/churn.yaml` was edited by hand" in refusal
    assert "--source s3 --force" in refusal


def test_template_of_an_older_spec_is_refused(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """The command that makes it current is named with its options."""
    (generated.parent / "pipeline.yaml").write_text(SPEC.replace("churn-ml", "churn-models"))
    refusal = _refusal(account, pipelines("ci", "plan"))
    assert "not generated from the specs as they are now" in refusal
    assert "--source s3`" in refusal


def test_names_that_are_taken_are_all_found_before_anything_changes(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """A role, a bucket and a log group that no stack of these templates has made."""
    del generated
    account.make_bucket("churn-ml")
    account.client("iam").create_role(RoleName="churn", AssumeRolePolicyDocument=json.dumps(TRUST))
    account.client("logs").create_log_group(logGroupName="/aws/codebuild/churn-ci-tests")
    refusal = _refusal(account, pipelines("ci", "apply", "--yes"))
    assert "AWS::S3::Bucket churn-ml exists in this account" in refusal
    assert "AWS::IAM::Role churn exists" in refusal
    assert "AWS::Logs::LogGroup /aws/codebuild/churn-ci-tests exists" in refusal
    assert "delete the role" in refusal
    assert "take it into the stack with --import-existing" in refusal


def test_stack_of_the_same_name_for_something_else_is_refused(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """Its resources would all be removed."""
    del generated
    topic = {"Resources": {"Alarms": {"Type": "AWS::SNS::Topic"}}}
    account.client("cloudformation").create_stack(
        StackName="pipelines-shared", TemplateBody=json.dumps(topic)
    )
    refusal = _refusal(account, pipelines("ci", "apply", "--yes"))
    assert "it was made for something else" in refusal


def test_credentials_of_another_account_are_refused(
    account: Account, repository: Path, pipelines: Command
) -> None:
    """Nothing of the templates is for it."""
    spec = repository / "pipeline.yaml"
    spec.write_text(SPEC.replace(ACCOUNT, OTHER))
    pipelines("ci", "init", "--source", "s3")
    refusal = _refusal(account, pipelines("ci", "apply", "--yes"))
    assert f"are those of account {ACCOUNT}" in refusal
    assert f"are in {OTHER}" in refusal


def test_stacks_of_another_account_are_left_and_named(repository: Path, pipelines: Command) -> None:
    """Credentials are those of one account; `--env` asks for the other's alone."""
    (repository / "pipeline.yaml").write_text(SPEC + PROD)
    pipelines("ci", "init", "--source", "s3")
    answer = pipelines("ci", "apply", "--yes")
    assert answer.code == 0, answer.err
    named = "left to do: `pipelines-shared` and `pipelines-churn-prod` in account 444455556666"
    assert named in answer.out
    refused = pipelines("ci", "apply", "--env", "prod", "--yes")
    assert "choose environments with --env" in refused.err
    unknown = pipelines("ci", "plan", "--env", "prd")
    assert "did you mean `prod`?" in unknown.err


def test_tool_of_another_checkout_gets_a_key_of_its_own(
    account: Account, generated: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same version with other code: the first one's builds keep what they run."""
    pipelines("ci", "apply", "--yes")
    (key,) = account.keys("churn-ml")
    first = account.client("s3").get_object(Bucket="churn-ml", Key=key)["Body"].read()
    tool = wheel.tool_wheel()
    other = wheel.Wheel(tool.version, tool.record + "\n", tool.files)
    monkeypatch.setattr("pipelines.cli.generating.tool_wheel", lambda: other)
    assert "not generated from the specs" in pipelines("ci", "plan").err
    assert pipelines("ci", "init", "--source", "s3").code == 0
    assert pipelines("ci", "apply", "--yes").code == 0
    mine, theirs = sorted(account.keys("churn-ml"), key=lambda one: one == key)
    assert theirs == key
    assert mine in (generated / "churn.yaml").read_text()
    assert account.client("s3").get_object(Bucket="churn-ml", Key=key)["Body"].read() == first


def test_what_is_not_the_tool_is_shown_before_it_is_replaced(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """The builds install what lies there: a damaged object is a change like any other."""
    del generated
    pipelines("ci", "apply", "--yes")
    (key,) = account.keys("churn-ml")
    account.client("s3").put_object(Bucket="churn-ml", Key=key, Body=b"another")
    planned = pipelines("ci", "plan", "--check")
    assert planned.code == 6
    assert f"~ s3://churn-ml/{key}: what is there is not the tool" in planned.out
    assert pipelines("ci", "apply").code == 2
    assert pipelines("ci", "apply", "--yes").code == 0
    assert pipelines("ci", "plan", "--check").code == 0
