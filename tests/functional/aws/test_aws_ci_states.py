"""`ci plan` and `ci apply` where something is in the way, or comes between, as commands.

moto's CloudFormation has no failing states: they are set in its memory. What it does not know at
all, such as imports into a stack that is there, is in tests/unit/account, by botocore's Stubber.
"""

from __future__ import annotations

import _thread
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from moto.backends import get_backend

from pipelines.account.stacks import following
from tests.functional.aws.account import ACCOUNT, REGION, Account
from tests.functional.aws.command import Command
from tests.functional.aws.proxy import Fault, refusal
from tests.functional.aws.seen import Seen

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
  register:
    kind: registration
    group: churn
    model: ${{steps.train.model}}
    serving: {{source: serving/, image: sklearn-1.9-cpu}}
"""


@pytest.fixture
def generated(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pipelines: Command
) -> Path:
    """Generate the templates of a repository, and stand in it."""
    del account
    monkeypatch.setattr(following, "_PAUSE", 0.0)
    folder = tmp_path / "churn"
    for name in ("steps/train.py", "serving/inference.py"):
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text('"""Code."""\nmodel_fn = None\n')
    (folder / "pipeline.yaml").write_text(SPEC)
    subprocess.run(["git", "init", "-q", "-b", "main", str(folder)], check=True)  # noqa: S607 - git by its name
    monkeypatch.chdir(folder)
    answer = pipelines("ci", "init", "--source", "s3", "--repository", "acme/churn")
    assert answer.code == 0, answer.err
    return folder


def _stack(name: str) -> Any:
    found = get_backend("cloudformation")[ACCOUNT][REGION].stacks.values()
    return next(one for one in found if one.name == name and one.status != "DELETE_COMPLETE")


def _names(account: Account) -> dict[str, str]:
    found = account.client("cloudformation").list_stacks()["StackSummaries"]
    gone = "DELETE_COMPLETE"
    return {one["StackName"]: one["StackStatus"] for one in found if one["StackStatus"] != gone}


def test_each_state_that_takes_no_change_is_refused_with_the_way_out(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """By both commands, before anything changes; one that is being changed is only refused here."""
    del generated
    assert pipelines("ci", "apply", "--yes").code == 0
    for status, words in (
        ("ROLLBACK_COMPLETE", "delete-stack --stack-name pipelines-churn"),
        ("UPDATE_ROLLBACK_FAILED", "continue-update-rollback --stack-name pipelines-churn"),
        ("IMPORT_ROLLBACK_FAILED", "continue-update-rollback --stack-name pipelines-churn"),
        ("DELETE_FAILED", "delete-stack --stack-name pipelines-churn"),
        ("UPDATE_IN_PROGRESS", "`ci apply` waits for it"),
    ):
        _stack("pipelines-churn").status = status
        account.proxy.seen.clear()
        answers = [pipelines("ci", "plan")]
        if status == "ROLLBACK_COMPLETE":
            answers.append(pipelines("ci", "apply", "--yes"))
        for answer in answers:
            assert answer.code == 2, answer.err
            assert status in answer.err
            assert words in answer.err
        assert "CreateChangeSet" not in account.proxy.operations()


def test_ctrl_c_leaves_the_stack_to_cloudformation_and_the_next_apply_does_the_rest(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """While a stack is followed; the second stack is not begun."""
    del generated

    def interrupts(seen: Seen) -> None:
        if seen.operation == "DescribeStackEvents" and "ExecuteChangeSet" in executed:
            account.proxy.on_call = lambda _: None
            _thread.interrupt_main()
        executed.append(seen.operation)

    executed: list[str] = []
    account.proxy.on_call = interrupts
    answer = pipelines("ci", "apply", "--yes")
    assert answer.code == 130, answer.err
    assert "CloudFormation goes on with pipelines-shared" in answer.err
    assert list(_names(account)) == ["pipelines-shared"]
    again = pipelines("ci", "apply", "--yes")
    assert again.code == 0, again.err
    assert "pipelines-shared: " in again.out
    assert set(_names(account)) == {"pipelines-shared", "pipelines-churn"}
    assert len(account.keys("churn-ml")) == 1


def test_ctrl_c_before_the_answer_leaves_nothing(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """The change set and the stack that held it are deleted."""
    del generated

    def interrupts(seen: Seen) -> None:
        if seen.operation == "DescribeChangeSet":
            account.proxy.on_call = lambda _: None
            _thread.interrupt_main()

    account.proxy.on_call = interrupts
    assert pipelines("ci", "apply", "--yes").code == 130
    assert _names(account) == {}


def test_access_that_is_denied_in_the_middle_names_the_action_and_leaves_no_change_set(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """What was done stays; the next run, by somebody who may, does the rest."""
    del generated
    message = "User: eve is not authorized to perform: cloudformation:ExecuteChangeSet"
    denied = refusal("AccessDenied", message, 403)
    account.proxy.faults.append(Fault("ExecuteChangeSet", denied, skip=1))
    answer = pipelines("ci", "apply", "--yes")
    assert answer.code == 4
    assert "cloudformation:ExecuteChangeSet" in answer.err
    called = account.proxy.operations()
    assert called.index("DeleteChangeSet") > called.index("ExecuteChangeSet")
    assert _names(account).get("pipelines-churn") in {None, "REVIEW_IN_PROGRESS"}
    assert pipelines("ci", "apply", "--yes").code == 0
    assert set(_names(account)) == {"pipelines-shared", "pipelines-churn"}


def test_a_plan_is_told_as_data(account: Account, generated: Path, pipelines: Command) -> None:
    """What CloudFormation computed, what waits for another stack, what is uploaded."""
    del generated
    answer = pipelines("ci", "plan", "--format", "json", "--check")
    assert answer.code == 6
    shared, churn = json.loads(answer.out)["stacks"]
    assert (shared["stack"], shared["action"], shared["account"], shared["region"]) == (
        "pipelines-shared",
        "create",
        ACCOUNT,
        REGION,
    )
    assert {"BucketChurnMl", "PolicyOfBucketChurnMl"} <= {one["id"] for one in shared["changes"]}
    (upload,) = shared["uploads"]
    assert upload["uri"].startswith("s3://churn-ml/ci/tool/")
    assert (churn["action"], churn["after"]) == ("create", "pipelines-shared")
    roles = [one for one in churn["changes"] if one["type"] == "AWS::IAM::Role"]
    assert roles
    assert all(one["iam"] for one in roles)
    assert pipelines("ci", "apply", "--yes").code == 0
    account.proxy.seen.clear()
    after = json.loads(pipelines("ci", "plan", "--format", "json", "--check").out)
    assert [one["action"] for one in after["stacks"]] == ["none", "none"]
    assert after["left_to_do"] == []


def _init(folder: Path, pipelines: Command, pipeline: str, repository: str) -> None:
    """Generate the templates of another repository with one pipeline, in the place of these."""
    (folder / "pipeline.yaml").write_text(SPEC.replace("churn", pipeline))
    for file in (folder / "infra").iterdir():
        file.unlink()
    answer = pipelines("ci", "init", "--source", "s3", "--repository", repository)
    assert answer.code == 0, answer.err


def test_a_second_repository_shares_the_one_stack_of_the_account(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """It adds what it needs; neither takes anything from the other, whoever comes next."""
    assert pipelines("ci", "apply", "--yes").code == 0
    _init(generated, pipelines, "fraud", "acme/fraud")
    planned = pipelines("ci", "plan")
    assert "what it has for `acme/churn` stays" in planned.out
    assert pipelines("ci", "apply", "--yes").code == 0
    shared = {"BucketChurnMl", "BucketFraudMl", "Source"}
    assert shared <= set(_stack("pipelines-shared").resource_map)
    assert set(_names(account)) == {"pipelines-shared", "pipelines-churn", "pipelines-fraud"}
    _init(generated, pipelines, "churn", "acme/churn")
    again = pipelines("ci", "plan", "--check")
    assert again.code == 0, again.out
    assert "what it has for `acme/fraud` stays" in again.out
    wrong = pipelines("ci", "plan", "--forget", "acme/frud")
    assert wrong.code == 2
    assert "did you mean `acme/fraud`?" in wrong.err

    _init(generated, pipelines, "fraud", "acme/churn")
    assert pipelines("ci", "plan").code == 2, "its own went, and the other's came"
    _init(generated, pipelines, "deals", "acme/churn")
    assert "what it has for the pipeline `churn` goes" in pipelines("ci", "plan").out
    _init(generated, pipelines, "churn", "acme/renamed")
    refused = pipelines("ci", "plan")
    assert refused.code == 2
    assert "has `churn` for the repository acme/churn" in refused.err
    forgot = pipelines("ci", "apply", "--yes", "--forget", "acme/churn")
    assert forgot.code == 0, forgot.err
    assert pipelines("ci", "plan", "--check").code == 0
    assert shared <= set(_stack("pipelines-shared").resource_map)


def test_what_an_earlier_upsert_has_made_is_imported_by_its_name_alone(
    account: Account, generated: Path, pipelines: Command
) -> None:
    """A bucket with its data, a group with its models, a role; nothing is left by a plan."""
    del generated
    account.make_bucket("churn-ml")
    account.client("sagemaker").create_model_package_group(ModelPackageGroupName="churn")
    account.client("iam").create_role(RoleName="churn", AssumeRolePolicyDocument="{}")
    refused = pipelines("ci", "plan")
    assert refused.code == 2
    for name in ("Bucket churn-ml", "ModelPackageGroup churn", "Role churn"):
        assert f"{name} exists" in refused.err
    assert "delete the group" not in refused.err
    account.proxy.seen.clear()
    answer = pipelines("ci", "plan", "--import-existing", "--check", "--format", "json")
    assert answer.code == 6, answer.err
    sent = [one.body.decode() for one in account.proxy.seen if one.operation == "CreateChangeSet"]
    assert [body.count("ChangeSetType=IMPORT") for body in sent] == [1, 1]
    assert "ResourceIdentifier.entry.1.key=BucketName" in sent[0]
    assert "ResourceIdentifier.entry.1.key=ModelPackageGroupArn" in sent[1]
    assert "BucketEncryption" not in sent[0], "a property that is imported is never set"
    notes = [note for one in json.loads(answer.out)["stacks"] for note in one["notes"]]
    assert any("lifecycle rules and bucket policy become those of the template" in n for n in notes)
    assert any("stay attached" in note for note in notes)
    assert _names(account) == {}
