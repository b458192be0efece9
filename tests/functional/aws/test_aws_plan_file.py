"""`plan -o` and `upsert --plan`: exactly what was reviewed, or a refusal that says what differs."""

from __future__ import annotations

import hashlib
import json
import stat
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from pipelines.plan.saved import digest_of
from tests.functional.aws.account import Account
from tests.functional.aws.command import Answer, Command
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE, add_deployment, edit
from tests.functional.aws.seen import Seen

PLAN = ("plan", "-o", "plan.json")
UPSERT = ("upsert", "--plan", "plan.json")


@pytest.fixture
def reviewed(account: Account, project: Path, pipelines: Command) -> Path:
    """Deploy the project, change a script, and write the plan of that."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    edit(project / "steps/train.py", "training", "training more")
    answer = pipelines(*PLAN)
    assert answer.code == 0, answer.err
    account.proxy.seen.clear()
    return project


def refused(account: Account, pipelines: Command, *arguments: str) -> Answer:
    """Carry the plan out, which has to be refused before anything is changed."""
    answer = pipelines(*UPSERT, *arguments)
    assert answer.code == 2, answer.out + answer.err
    assert account.proxy.changes() == []
    assert "Traceback" not in answer.err
    return answer


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


def test_the_same_state_gives_the_same_bytes(
    account: Account, reviewed: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In another checkout, at another time, in another time zone."""
    del account
    first = (reviewed / "plan.json").read_bytes()
    elsewhere = reviewed.parent / "elsewhere"
    reviewed.rename(elsewhere)
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    try:
        assert pipelines("plan", "-o", "again.json").code == 0
        assert (elsewhere / "again.json").read_bytes() == first
        assert pipelines(*UPSERT).code == 0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_file_says_what_was_reviewed(reviewed: Path) -> None:
    """The plan as `--format json` has it, and what it was made from."""
    content = json.loads((reviewed / "plan.json").read_text())
    assert content["plan"]["pipelines"][1]["action"] == "update"
    assert content["target"]["account"] == "123456789012"
    assert set(content["compiled"]["definitions"]) == {PIPELINE, f"{PIPELINE}-deploy"}


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


def _edited(content: JsonObject) -> JsonObject:
    content["compiled"]["settings"]["role"] = "arn:aws:iam::123456789012:role/admin"
    return content


def _hashed(content: JsonObject) -> JsonObject:
    return {**content, "sha256": digest_of(content)}


EDITS: dict[str, tuple[Callable[[JsonObject], object], str]] = {
    "edited": (_edited, "was edited, or is damaged"),
    "edited and hashed again": (lambda c: _hashed(_edited(c)), "role: arn:aws:iam::123456789012"),
    "newer": (lambda c: {**c, "version": 2}, "has version 2 of the plan file; this tool knows 1"),
    "of no version": (lambda c: {**c, "version": "x"}, "has version x of the plan file"),
    "of another tool": (lambda c: _hashed({**c, "tool": "0.0.1"}), "written by version 0.0.1"),
    "without a target": (lambda c: _hashed({**c, "target": 3}), "was made with"),
    "without contents": (
        lambda c: _hashed({**c, "compiled": [], "deployed": None}),
        "no longer holds",
    ),
    "a list": (lambda _: [1], "is not a plan file"),
    "the plan alone": (lambda c: c["plan"], "it is what `plan --format json` prints"),
}


@pytest.mark.parametrize("kind", EDITS)
def test_a_file_that_is_not_as_it_was_written_is_refused(
    account: Account, reviewed: Path, pipelines: Command, kind: str
) -> None:
    """Edited, from another version, or something else."""
    path = reviewed / "plan.json"
    change, said = EDITS[kind]
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert said in refused(account, pipelines).err


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{", b"[" * 100_000, b"NaN"])
def test_a_file_that_is_no_json_is_refused(
    account: Account, reviewed: Path, pipelines: Command, content: bytes
) -> None:
    """With one sentence."""
    (reviewed / "plan.json").write_bytes(content)
    assert "plan.json is not a plan file" in refused(account, pipelines).err


def test_a_file_that_is_only_laid_out_anew_still_holds(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """The hash is over the contents."""
    path = reviewed / "plan.json"
    path.write_text(json.dumps(json.loads(path.read_text()), ensure_ascii=False))
    assert pipelines(*UPSERT).code == 0
    assert account.proxy.changes() == ["PutObject", "UpdatePipeline"]


def test_a_missing_file_and_a_folder_are_refused(
    account: Account, reviewed: Path, pipelines: Command
) -> None:
    """With what to type."""
    (reviewed / "plan.json").unlink()
    assert "cannot be read: No such file" in refused(account, pipelines).err
    (reviewed / "plan.json").mkdir()
    assert "cannot be read: Is a directory" in refused(account, pipelines).err


PLACES_TO_WRITE = {
    "missing/plan.json": "there is no folder missing",
    "steps": "steps is a folder",
    "pipeline.yaml": "pipeline.yaml is not a plan file: it is not replaced",
    "link-to-spec": "is not a plan file: it is not replaced",
    "pipeline.yaml/plan.json": "pipeline.yaml is not a folder",
    "-": "write -o plan.json",
}


@pytest.mark.parametrize("place", PLACES_TO_WRITE)
def test_a_place_where_no_plan_can_be_written_is_refused_first(
    account: Account, project: Path, pipelines: Command, place: str
) -> None:
    """Before anything is asked of the account; nothing is overwritten."""
    (project / "link-to-spec").symlink_to("pipeline.yaml")
    before = hashlib.sha256((project / "pipeline.yaml").read_bytes()).digest()
    answer = pipelines("plan", "-o", place)
    assert answer.code == 2
    assert PLACES_TO_WRITE[place] in answer.err
    assert account.proxy.seen == []
    assert hashlib.sha256((project / "pipeline.yaml").read_bytes()).digest() == before


def test_a_link_stays_and_a_device_takes_it(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The file that a link leads to is replaced at once, or made."""
    del account
    (project / "out").mkdir()
    (project / "plan.json").symlink_to("out/real.json")
    for _ in range(2):
        assert pipelines(*PLAN).code == 0
    assert (project / "plan.json").is_symlink()
    assert json.loads((project / "out/real.json").read_text())["version"] == 1
    assert [one.name for one in (project / "out").iterdir()] == ["real.json"]
    assert pipelines("plan", "-o", "/dev/null").code == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_check_writes_the_file_too(account: Account, project: Path, pipelines: Command) -> None:
    """And ends with 6, as without; with 0 when there is nothing to do."""
    del account
    assert pipelines(*PLAN, "--check").code == 6
    assert pipelines(*UPSERT).code == 0
    assert pipelines(*PLAN, "--check").code == 0
    assert pipelines(*UPSERT).code == 0
    assert (project / "plan.json").exists()


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
