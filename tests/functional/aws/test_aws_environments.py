"""`--env`: another account, region and partition, bucket, key and tags, by one spec."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.functional.aws.project import BUCKET, PIPELINE

if TYPE_CHECKING:
    from tests.functional.aws.account import Account
    from tests.functional.aws.command import Command

OTHER = "444455556666"


def test_an_environment_has_its_own_bucket_key_and_tags(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Every object is encrypted with its key; nothing lands in the other bucket."""
    del project
    account.make_bucket("prod-bucket")
    answer = pipelines("upsert", "--env", "prod", "--yes")
    assert answer.code == 0, answer.err
    assert account.keys(BUCKET) == []
    assert len(account.keys("prod-bucket")) == 5
    puts = [seen for seen in account.proxy.seen if seen.operation == "PutObject"]
    key = "x-amz-server-side-encryption-aws-kms-key-id"
    assert {seen.headers[key] for seen in puts} == {"arn:aws:kms:us-east-1:123456789012:key/prod"}
    described = account.pipeline(PIPELINE)
    assert account.tags(described["PipelineArn"])["stage"] == "prod"
    account.proxy.seen.clear()
    assert pipelines("upsert", "--env", "prod").code == 0
    assert account.proxy.changes() == []


def test_another_partition_is_another_region_and_other_arns(
    account: Account, project: Path, pipelines: Command
) -> None:
    """aws-cn: every call is signed for its region."""
    del project
    account.make_bucket("china-bucket", "cn-north-1")
    answer = pipelines("upsert", "--env", "china", "--yes")
    assert answer.code == 0, answer.err
    assert {seen.region for seen in account.proxy.seen} == {"cn-north-1"}
    described = account.client("sagemaker", "cn-north-1").describe_pipeline(PipelineName=PIPELINE)
    assert described["RoleArn"].startswith("arn:aws-cn:")
    assert ".amazonaws.com.cn/" in described["PipelineDefinition"]


def test_a_role_of_another_partition_is_refused(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A role of aws in a region of aws-cn: said before anything is changed."""
    text = (project / "pipeline.yaml").read_text()
    (project / "pipeline.yaml").write_text(text.replace("arn:aws-cn:", "arn:aws:"))
    answer = pipelines("plan", "--env", "china")
    assert answer.code == 4
    assert "partition aws" in answer.err
    assert "cn-north-1" in answer.err
    assert account.proxy.changes() == []


def test_another_account_through_a_profile_that_assumes_a_role(
    account: Account,
    project: Path,
    pipelines: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """boto3's own: AWS_PROFILE names a role in the other account."""
    del project
    config = tmp_path / "config"
    config.write_text(
        "[profile base]\naws_access_key_id = testing\naws_secret_access_key = secret\n"
        f"[profile other]\nsource_profile = base\nrole_arn = arn:aws:iam::{OTHER}:role/deployers\n"
    )
    monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("AWS_PROFILE", "other")
    answer = pipelines("plan", "--env", "elsewhere")
    assert account.proxy.operations()[0] == "AssumeRole"
    assert answer.code == 0, answer.err
    assert f"account {OTHER}" in answer.out
    answer = pipelines("plan")
    assert answer.code == 4
    assert f"account 123456789012, the credentials to {OTHER}" in answer.err
