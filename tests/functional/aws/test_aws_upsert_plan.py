"""`upsert --plan`: exactly what was reviewed, or a refusal that says what differs."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.plan_files import PLAN, UPSERT, refused
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE, edit
from tests.functional.aws.seen import Seen


def test_a_reviewed_plan_is_carried_out_as_it_is(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """Without a question and without a terminal: it was reviewed."""
    del reviewed
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert account.proxy.changes() == ["PutObject", "UpdatePipeline"]
    assert "account 123456789012, region us-east-1" in answer.err


def test_the_first_plan_creates_everything(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The same file carried out again finds nothing to do."""
    del project
    assert pipelines(*PLAN).code == 0
    assert account.proxy.changes() == []
    assert pipelines(*UPSERT).code == 0
    account.proxy.seen.clear()
    again = pipelines(*UPSERT)
    assert again.code == 0, again.err
    assert "nothing to do" in again.out
    assert account.proxy.changes() == []


CHECKOUT = {
    "a script": ("steps/train.py", "more", "less", "code of train: steps/train.py"),
    "data of the same size": ("data/a.csv", "1,0", "1,1", "data customers: a.csv"),
    "a key": ("pipeline.yaml", "cache: 30d", "cache: 31d", "cache: P30D → P31D"),
    "the role": ("pipeline.yaml", "role/jobs\n  b", "role/other\n  b", "role/jobs → arn:aws:iam"),
    "a tag": ("pipeline.yaml", "{team: ml}", "{team: bi}", "tags.team: ml → bi"),
    "the description": ("pipeline.yaml", "Who leaves?", "Who?", "Who leaves? → Who?"),
}
"""File, text, its replacement, and what the refusal says."""


@pytest.mark.parametrize("change", CHECKOUT)
def test_a_checkout_that_changed_since_is_refused(
    account: Account, reviewed: Path, pipelines: Command, change: str
) -> None:
    """Files by name, keys with both values."""
    file, old, new, said = CHECKOUT[change]
    edit(reviewed / file, old, new)
    answer = refused(account, pipelines)
    assert "changed in this checkout since plan.json was written" in answer.err
    assert said in answer.err, answer.err
    assert "pipelines plan -o plan.json" in answer.err


def test_an_executable_bit_that_was_lost_is_a_change(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """As in an archive of the checkout: the bundle would be another one."""
    (reviewed / "steps/train.py").chmod(0o755)
    assert "code of train: steps/train.py" in refused(account, pipelines).err


def _definition(account: Account) -> None:
    described = account.pipeline(PIPELINE)
    definition = json.loads(described["PipelineDefinition"])
    definition["Steps"][0]["Arguments"]["ProcessingResources"]["ClusterConfig"][
        "VolumeSizeInGB"
    ] = 77
    _update(account, PIPELINE, PipelineDefinition=json.dumps(definition))


def _update(account: Account, name: str, **members: str) -> None:
    account.mends.modified[name] = time.time() + 1
    account.client("sagemaker").update_pipeline(PipelineName=name, **members)


def _deploy_pipeline(account: Account) -> None:
    _update(account, f"{PIPELINE}-deploy", RoleArn="arn:aws:iam::123456789012:role/theirs")


def _tag(account: Account) -> None:
    arn = account.pipeline(PIPELINE)["PipelineArn"]
    account.client("sagemaker").add_tags(
        ResourceArn=arn, Tags=[{"Key": "owner", "Value": "somebody"}]
    )


def _group(account: Account) -> None:
    sagemaker = account.client("sagemaker")
    group = sagemaker.describe_model_package_group(ModelPackageGroupName=GROUP)
    sagemaker.add_tags(ResourceArn=group["ModelPackageGroupArn"], Tags=[{"Key": "a", "Value": "b"}])


def _deletion(account: Account) -> None:
    account.client("sagemaker").delete_pipeline(
        PipelineName=f"{PIPELINE}-deploy", ClientRequestToken="0" * 32
    )


def _touch(account: Account) -> None:
    account.mends.modified[PIPELINE] = 2_000_000_000.5


def _object(account: Account) -> None:
    (key,) = [key for key in account.keys(BUCKET) if "/code/features/" in key]
    account.client("s3").delete_object(Bucket=BUCKET, Key=key)


DEPLOYED: dict[str, tuple[Callable[[Account], None], tuple[str, ...]]] = {
    "definition": (_definition, ("pipeline churn: was updated", "volume_size_in_gb: 30 → 77")),
    "deploy pipeline": (_deploy_pipeline, ("pipeline churn-deploy", "role/jobs → ")),
    "tag": (_tag, ("pipeline churn", "+ tags.owner: somebody")),
    "group": (_group, ("model package group churn-models", "+ tags.a: b")),
    "deletion": (_deletion, ("pipeline churn-deploy: was deleted",)),
    "back and forth": (_touch, ("pipeline churn: was updated", "2033-05-18T03:33:20.500000+00:00")),
    "object": (_object, ("object s3://team-bucket/churn/code/features/", "was deleted")),
}
"""What somebody does in the account, and what the refusal says."""


@pytest.mark.parametrize("change", DEPLOYED)
def test_a_deployed_state_that_changed_since_is_refused(
    account: Account, reviewed: Path, pipelines: Command, change: str
) -> None:
    """Whatever it was: what would be done is not what was reviewed any more."""
    del reviewed
    happens, said = DEPLOYED[change]
    happens(account)
    answer = refused(account, pipelines)
    assert "changed in account 123456789012, region us-east-1 since plan.json was" in answer.err
    for text in said:
        assert text in answer.err, answer.err


def test_a_change_while_it_is_carried_out_is_found_too(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """The state is read again when everything is uploaded."""
    del reviewed

    def meanwhile(seen: Seen) -> None:
        if seen.operation == "PutObject":
            _tag(account)

    account.proxy.on_call = meanwhile
    answer = pipelines(*UPSERT)
    assert answer.code == 4
    assert "has changed since this plan was made" in answer.err
    assert "UpdatePipeline" not in account.proxy.changes()


def test_an_upsert_that_was_cut_off_after_uploading_is_repeated(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """An object that is there is right: its content is in its address."""
    new = json.loads((reviewed / "plan.json").read_text())["uploads"]
    body = b"the bundle"
    for uri in new:
        key = uri.removeprefix(f"s3://{BUCKET}/")
        account.client("s3").put_object(Bucket=BUCKET, Key=key, Body=body)
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert account.proxy.changes() == ["UpdatePipeline"]


PLACES = {
    "another environment": (("--env", "prod"), "this command has --env prod"),
    "a copy": (("--as", "mine"), "this command has --as mine"),
    "the local SageMaker": (("--local",), "this command has --local"),
}


@pytest.mark.parametrize("place", PLACES)
def test_a_plan_of_another_place_is_refused(
    account: Account, reviewed: Path, pipelines: Command, place: str
) -> None:
    """Before anything is asked; the way out names the options of the plan."""
    flags, said = PLACES[place]
    answer = refused(account, pipelines, *flags)
    assert said in answer.err
    assert "pipelines upsert --plan plan.json" in answer.err
    assert account.proxy.seen == []
    assert not (reviewed / ".pipelines").exists()


def test_the_options_of_the_plan_are_wanted_again(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """A plan for a copy in an environment is not carried out without either."""
    account.make_bucket("prod-bucket")
    flags = ("--env", "prod", "--as", "mine")
    assert pipelines(*PLAN, *flags).code == 0
    account.proxy.seen.clear()
    answer = refused(account, pipelines)
    assert "pipelines upsert --env prod --as mine --plan plan.json" in answer.err
    assert pipelines(*UPSERT, *flags).code == 0
    assert account.pipeline("churn-mine")["PipelineName"] == "churn-mine"
    del reviewed


def test_a_plan_of_another_region_or_pipeline_is_refused(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """By what the plan file says it was made for."""
    edit(reviewed / "pipeline.yaml", "pipeline: churn\n", "pipeline: other\n")
    answer = refused(account, pipelines)
    assert "was made for the pipeline churn, and this is other" in answer.err
    edit(reviewed / "pipeline.yaml", "pipeline: other\n", "pipeline: churn\n")
    edit(reviewed / "pipeline.yaml", "region: us-east-1", "region: eu-west-1")
    answer = refused(account, pipelines)
    assert "was made for the region us-east-1, and this is eu-west-1" in answer.err


def test_somebody_elses_pipeline_is_only_taken_over_when_that_is_said(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The plan names it; carrying it out needs the word."""
    del project
    account.client("sagemaker").create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition="no JSON at all",
        ClientRequestToken="0" * 32,
        RoleArn="arn:aws:iam::123456789012:role/theirs",
    )
    assert pipelines(*PLAN).code == 0
    assert "--take-over" in refused(account, pipelines).err
    assert pipelines(*UPSERT, "--take-over").code == 0
