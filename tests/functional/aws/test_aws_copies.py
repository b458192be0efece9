"""`--as`: a copy of one's own, which shares nothing with the original and never touches it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pipelines.json_types import JsonObject
from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.executions import Frame, mend, step
from tests.functional.aws.project import BUCKET, GROUP, PIPELINE, add_deployment, edit
from tests.functional.aws.proxy import Fault, refusal
from tests.functional.aws.test_aws_destroy import COPY_OF, pipelines_left, serve, serving_left

UPSERT = ("upsert", "--yes")
MARK = "sagemaker-pipelines-as-code"


@pytest.fixture
def both(account: Account, project: Path, pipelines: Command) -> Path:
    """Deploy the project, with a deployment, and a copy `mine` beside it."""
    add_deployment(project)
    mend(account, [Frame("Succeeded")])
    for arguments in ((), ("--as", "mine")):
        answer = pipelines(*UPSERT, *arguments)
        assert answer.code == 0, answer.err
    return project


def definition(account: Account, name: str) -> JsonObject:
    """Read a deployed definition."""
    document: JsonObject = json.loads(account.pipeline(name)["PipelineDefinition"])
    return document


def groups(account: Account) -> set[str]:
    """Name the model package groups that are there."""
    listed = account.client("sagemaker").list_model_package_groups()
    return {one["ModelPackageGroupName"] for one in listed["ModelPackageGroupSummaryList"]}


@pytest.mark.usefixtures("both")
def test_a_copy_stands_beside_the_original(account: Account) -> None:
    """Pipelines, group, endpoint and prefix carry its name, and a tag names the original."""
    deploys = f"{PIPELINE}-deploy"
    assert pipelines_left(account) == {PIPELINE, deploys, "churn-mine", "churn-mine-deploy"}
    assert groups(account) == {GROUP, f"{GROUP}-mine"}
    for name in ("churn-mine", "churn-mine-deploy"):
        tags = account.tags(account.pipeline(name)["PipelineArn"])
        assert (tags[MARK], tags[COPY_OF], tags["team"]) == ("churn-mine", "churn", "ml")
    text = json.dumps(definition(account, "churn-mine"))
    assert "s3://team-bucket/churn-mine/code/" in text
    assert "s3://team-bucket/churn/" not in text
    assert '"DEPLOY_ENDPOINT": "churn-mine"' in text
    assert json.dumps(definition(account, PIPELINE)).count("mine") == 0
    code = [key for key in account.keys(BUCKET) if "/code/" in key]
    assert len([key for key in code if key.startswith("churn-mine/")]) == len(code) / 2


@pytest.mark.usefixtures("both")
def test_a_second_upsert_of_either_changes_nothing(account: Account, pipelines: Command) -> None:
    """They do not see each other."""
    account.proxy.seen.clear()
    for arguments in ((), ("--as", "mine")):
        answer = pipelines(*UPSERT, *arguments)
        assert answer.code == 0, answer.err
        assert "nothing to do" in answer.out
    assert account.proxy.changes() == []


def test_destroy_of_a_copy_leaves_the_original_alone(
    account: Account, both: Path, pipelines: Command
) -> None:
    """Its pipelines, its endpoint, and with `--with-data` its prefix; nothing else."""
    del both
    serve(account, "churn", f"churn-{'a' * 12}")
    serve(account, "churn-mine", f"churn-mine-{'b' * 12}", copy_of=PIPELINE)
    kept = [key for key in account.keys(BUCKET) if key.startswith("churn/")]
    answer = pipelines("destroy", "--as", "mine", "--with-data", "--yes")
    assert answer.code == 0, answer.err
    assert pipelines_left(account) == {PIPELINE, f"{PIPELINE}-deploy"}
    assert serving_left(account) == ["churn", *[f"churn-{'a' * 12}"] * 2]
    assert account.keys(BUCKET) == kept
    assert groups(account) == {GROUP, f"{GROUP}-mine"}


def test_destroy_of_a_copy_that_is_not_there_deletes_nothing_of_its_name(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Another spec's endpoint has the name that the copy's would have; so may a copy's."""
    add_deployment(project)
    serve(account, "churn-mine", f"churn-mine-{'b' * 12}")
    left = serving_left(account)
    answer = pipelines("destroy", "--as", "mine", "--yes")
    assert answer.code == 0, answer.err
    assert "keep endpoint churn-mine: it was not created" in answer.out
    assert "nothing to delete" in answer.out
    assert serving_left(account) == left
    serve(account, "churn", f"churn-{'a' * 12}", copy_of="other")
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    assert len(serving_left(account)) == len(left) + 3


def test_destroy_of_the_original_keeps_its_copies_and_names_them(
    account: Account, both: Path, pipelines: Command
) -> None:
    """With the command that deletes one."""
    del both
    answer = pipelines("destroy", "--yes", "--with-data")
    assert answer.code == 0, answer.err
    assert "keep the copy churn-mine: `pipelines destroy --as mine` deletes it" in answer.out
    assert pipelines_left(account) == {"churn-mine", "churn-mine-deploy"}
    assert {key.partition("/")[0] for key in account.keys(BUCKET)} == {"churn-mine"}


def test_who_may_not_list_pipelines_can_destroy(
    account: Account, both: Path, pipelines: Command
) -> None:
    """The copies are not named then."""
    del both
    account.proxy.faults.append(Fault("ListPipelines", refusal("AccessDeniedException", "no"), -1))
    answer = pipelines("destroy", "--yes")
    assert answer.code == 0, answer.err
    assert "keep the copy" not in answer.out


def test_a_copy_and_a_spec_of_the_same_name_do_not_take_each_other_over(
    account: Account, both: Path, pipelines: Command
) -> None:
    """`churn-mine` is a copy's name, and may be that of a spec of its own."""
    other = both / "other.yaml"
    other.write_text((both / "pipeline.yaml").read_text().replace(": churn\nd", ": churn-mine\nd"))
    before = definition(account, "churn-mine")
    taken = pipelines("upsert", "--yes", "-f", other)
    assert taken.code == 2
    assert "the pipeline churn-mine-deploy was not created from this spec" in taken.err
    assert pipelines("destroy", "--yes", "-f", other).code == 2
    assert definition(account, "churn-mine") == before
    assert pipelines(*UPSERT, "-f", other, "--take-over").code == 0
    assert COPY_OF not in account.tags(account.pipeline("churn-mine")["PipelineArn"])
    for command in (("destroy",), ("upsert",)):
        answer = pipelines(*command, "--as", "mine", "--yes")
        assert answer.code == 2
        assert "was not created" in answer.err


REFUSED = {
    "feature/a_b": "write --as feature-a-b",
    "-x": "write --as x",
    "x--": "write --as x",
    "": "write --as mybranch",
    "deploy": "choose another name",
    "x-Deploy": "choose another name",
    "x" * 60: "choose a name of at most 42 characters",
    "x" * 300: "choose a name of at most 42 characters",
}
"""Names of copies, and what is advised."""


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("command", [UPSERT, ("plan",), ("destroy", "--yes"), ("start",)])
def test_a_name_that_the_service_refuses_is_found_before_anything_is_asked(
    account: Account, project: Path, pipelines: Command, name: str, command: tuple[str, ...]
) -> None:
    """With a name that would do."""
    add_deployment(project)
    answer = pipelines(*command, "--as", name)
    assert answer.code == 2, answer.err
    assert REFUSED[name] in answer.err
    assert account.proxy.seen == []


def test_a_name_that_leaves_no_room_says_what_to_shorten(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The group has 63 characters already."""
    edit(project / "pipeline.yaml", "group: churn-models", f"group: {'g' * 63}")
    answer = pipelines("plan", "--as", "x")
    assert answer.code == 2
    assert "shorten the name of the model package group in the spec" in answer.err
    assert account.proxy.seen == []


def test_a_copy_cannot_bear_the_name_of_another_endpoint_of_the_spec(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Two endpoints, `churn` and `churn-eu`: the copy `eu` would deploy to the original's."""
    add_deployment(project)
    second = "  deploy-eu:\n    kind: deployment\n    group: churn-models\n"
    second += "    endpoint: churn-eu\n    serverless: {memory_size_in_mb: 2048}\n\nenvironments:"
    edit(project / "pipeline.yaml", "\nenvironments:", second)
    answer = pipelines("plan", "--as", "eu")
    assert answer.code == 2
    assert "the spec itself has a endpoint churn-eu" not in answer.err
    assert "the spec itself has the endpoint churn-eu" in answer.err
    assert account.proxy.seen == []


@pytest.mark.parametrize(
    ("group", "deployed"),
    [
        ("churn-models", "churn-models-mine"),
        ("${parameters.group}", "churn-models-mine"),
        ("somebody-elses", "somebody-elses"),
    ],
)
def test_names_that_mean_the_same_stay_the_same(
    project: Path, pipelines: Command, group: str, deployed: str
) -> None:
    """Written out, or by a parameter; a group that the spec only reads keeps its name."""
    add_deployment(project)
    spec = project / "pipeline.yaml"
    edit(spec, "group: ${steps.register.group}", f"group: {group}")
    edit(spec, "\nsteps:", "\nparameters:\n  group: {type: string, default: churn-models}\nsteps:")
    answer = pipelines("compile", "--as", "mine")
    assert answer.code == 0, answer.err
    steps = {one["Name"]: one["Arguments"] for one in json.loads(answer.out)["Steps"]}
    assert steps["register"]["ModelPackageGroupName"] == "churn-models-mine"
    written = steps["deploy"]["Environment"]["DEPLOY_GROUP"]
    if group.startswith("${"):
        join = {"On": "", "Values": [{"Get": "Parameters.group"}, "-mine"]}
        assert written == {"Std:Join": join}
    else:
        assert written == deployed


@pytest.mark.usefixtures("both")
def test_commands_that_look_mean_the_copy(account: Account, pipelines: Command) -> None:
    """And what they say to type next leads there again."""
    mend(account, [Frame("Executing", [step("train")])])
    answer = pipelines("start", "--as", "mine")
    assert answer.code == 0, answer.err
    assert answer.out.startswith("churn-mine: execution ")
    execution = answer.out.split()[-1]
    assert f"pipelines status --follow --as mine {execution}" in answer.err
    assert execution in pipelines("status", "--as", "mine").out
    assert execution not in pipelines("status").out
    refused = pipelines("destroy", "--as", "mine", "--yes")
    assert f"pipelines stop --as mine {execution}" in refused.err
    assert pipelines("versions", "--as", "mine").code == 0
    assert execution in pipelines("stop", "--as", "mine").out


@pytest.mark.usefixtures("both")
def test_a_copy_decides_nothing_about_versions_of_the_original(
    account: Account, pipelines: Command
) -> None:
    """Its group is another one, which the remedy names."""
    account.client("sagemaker").create_model_package(ModelPackageGroupName=GROUP)
    account.proxy.seen.clear()
    for command in ("approve", "reject"):
        answer = pipelines(command, "--as", "mine", f"{GROUP}/1", "--yes")
        assert answer.code == 2
        assert f"the group {GROUP} is the original's, not that of the copy mine" in answer.err
        assert f"{GROUP}-mine/1" in answer.err
    assert account.proxy.seen == []
