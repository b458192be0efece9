"""`prune` against an account: what may be removed, and what never is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from tests.functional.aws.account import ACCOUNT, Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import deploy
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE, add_deployment, edit
from tests.functional.aws.proxy import Answer, Fault, refusal

LEFT = f"{PIPELINE}/code/train/{'0' * 32}/bundle.pyz"
"""What an upsert uploaded that then was cut off."""

PRUNE = ("prune", "--older-than", "0h")


def put(account: Account, *keys: str) -> None:
    """Put objects into the bucket."""
    for key in keys:
        account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=b"x" * 1500)


@pytest.fixture
def deployed(account: Account, project: Path, pipelines: Command) -> Path:
    """Deploy the project twice, each time with other code and other data."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    edit(project / "steps/train.py", "training", "training more")
    edit(project / "data/a.csv", "1,0", "1,1")
    assert pipelines("upsert", "--yes").code == 0
    account.proxy.seen.clear()
    return project


def test_what_any_version_names_is_kept(
    account: Account, deployed: Path, pipelines: Command
) -> None:
    """Code and data of the version before too: it may be running, or be put back."""
    del deployed
    kept = account.keys(BUCKET)
    assert len(kept) == 9
    answer = pipelines(*PRUNE, "--yes")
    assert answer.code == 0, answer.err
    assert "nothing to remove" in answer.out
    assert account.keys(BUCKET) == kept


def test_what_no_version_names_is_removed(
    account: Account, deployed: Path, pipelines: Command
) -> None:
    """Shown with its size, asked about, removed; the bucket has to be the account's own."""
    del deployed
    kept = account.keys(BUCKET)
    definition = f"{PIPELINE}/definitions/{'1' * 32}.json"
    data = f"{PIPELINE}/data/customers/{'2' * 32}/deep/a.csv"
    put(account, LEFT, definition, data)
    shown = pipelines(*PRUNE, "--dry-run")
    assert shown.code == 0, shown.err
    assert shown.out.splitlines() == [
        f"    1.5 kB  {LEFT}",
        f"    1.5 kB  {data}",
        f"    1.5 kB  {definition}",
        "    4.5 kB  in 3 objects",
    ]
    asked = pipelines(*PRUNE)
    assert asked.code == 2
    assert "delete 3 objects from team-bucket in account 123456789012" in asked.err
    assert account.proxy.changes() == []
    answer = pipelines(*PRUNE, "--yes")
    assert answer.code == 0, answer.err
    assert account.keys(BUCKET) == kept
    calls = [seen for seen in account.proxy.seen if seen.service == "s3"]
    assert {seen.headers.get("x-amz-expected-bucket-owner") for seen in calls} == {ACCOUNT}


def test_what_is_young_is_left_alone(account: Account, deployed: Path, pipelines: Command) -> None:
    """Another upsert may have uploaded it and be about to make its version."""
    del deployed
    put(account, LEFT)
    assert "nothing to remove" in pipelines("prune", "--yes").out
    assert LEFT in account.keys(BUCKET)


def test_what_upsert_did_not_write_is_left_alone(
    account: Account, deployed: Path, pipelines: Command
) -> None:
    """Whatever lies beside it, even where its folder is called as ours are."""
    del deployed
    others = (
        f"{PIPELINE}/code/train/sourcedir.tar.gz",
        f"{PIPELINE}/data/customers.csv",
        f"{PIPELINE}/runs/1/train/model.tar.gz",
        f"{PIPELINE}-eu/code/train/{'0' * 32}/bundle.pyz",
    )
    put(account, *others)
    assert "nothing to remove" in pipelines(*PRUNE, "--yes").out
    assert set(others) < set(account.keys(BUCKET))


def test_a_deploy_pipeline_that_the_spec_has_no_more_keeps_its_code(
    account: Account, project: Path, pipelines: Command
) -> None:
    """It is still there, and a rule may start it."""
    del project
    assert pipelines("upsert", "--yes").code == 0
    deploy(account, _naming(LEFT), f"{PIPELINE}-deploy")
    put(account, LEFT)
    assert "nothing to remove" in pipelines(*PRUNE, "--yes").out
    assert LEFT in account.keys(BUCKET)


def _naming(key: str) -> JsonObject:
    steps = [{"Name": "a", "Type": "Training", "Arguments": {"S3Uri": f"s3://{BUCKET}/{key}"}}]
    return {"Version": "2020-12-01", "Parameters": [], "Steps": steps}


def test_what_a_package_names_is_kept(account: Account, deployed: Path, pipelines: Command) -> None:
    """Also one of a group that only an earlier version registered in."""
    edit(deployed / "pipeline.yaml", "group: churn-models", "group: other-models")
    assert pipelines("upsert", "--yes").code == 0
    archive = f"s3://{BUCKET}/{LEFT}"
    account.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP,
        InferenceSpecification={
            "Containers": [{"Image": "i", "ModelDataUrl": archive}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )
    put(account, LEFT)
    assert "nothing to remove" in pipelines(*PRUNE, "--yes").out
    assert LEFT in account.keys(BUCKET)


@pytest.mark.parametrize(
    "operation", ["ListPipelineVersions", "DescribePipeline", "DescribeModelPackageGroup"]
)
def test_what_cannot_be_looked_at_may_be_in_use(
    account: Account, deployed: Path, pipelines: Command, operation: str
) -> None:
    """One refusal, and nothing is removed."""
    del deployed
    put(account, LEFT)
    denied = refusal("AccessDeniedException", f"not authorized to perform: sagemaker:{operation}")
    account.proxy.faults.append(Fault(operation, denied, 1))
    answer = pipelines(*PRUNE, "--yes")
    assert answer.code == 4
    assert f"sagemaker:{operation}" in answer.err
    assert LEFT in account.keys(BUCKET)


def test_a_removal_that_is_refused_names_the_object(
    account: Account, deployed: Path, pipelines: Command
) -> None:
    """S3 answers 200 and says it of each object."""
    del deployed
    put(account, LEFT)
    said = (
        f"<DeleteResult><Error><Key>{LEFT}</Key><Code>AccessDenied</Code>"
        "<Message>Access Denied</Message></Error></DeleteResult>"
    )
    account.proxy.faults.append(Fault("DeleteObjects", Answer(200, said.encode())))
    answer = pipelines(*PRUNE, "--yes")
    assert answer.code == 4
    assert f"AWS refused to delete s3://{BUCKET}/{LEFT}: Access Denied" in answer.err
    assert "s3:DeleteObject" in answer.err
