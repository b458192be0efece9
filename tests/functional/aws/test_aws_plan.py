"""`plan` as a user types it: what it says of changes, and that it changes nothing itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.aws.project import BUCKET, PIPELINE, add_deployment, edit
from tests.functional.aws.proxy import Fault, refusal

if TYPE_CHECKING:
    from pipelines.json_types import JsonObject
    from tests.functional.aws.account import Account
    from tests.functional.aws.command import Command

COST = "cost: unknown, no price is known: `pipelines cost --refresh` retrieves them"

UPSERT = ("upsert", "--yes")


def quota(kind: str, usage: str) -> str:
    """What a plan says of a quota that `doctor` has not read."""
    unread = "its value is unknown: `pipelines doctor` reads it"
    return f"quota: {kind} for {usage} job usage: a step needs 1; {unread}"


def planned(pipelines: Command) -> JsonObject:
    """Plan, for machines."""
    answer = pipelines("plan", "--format", "json")
    assert answer.code == 0, answer.err
    document: JsonObject = json.loads(answer.out)
    return document


def test_a_plan_changes_nothing(account: Account, project: Path, pipelines: Command) -> None:
    """It names account and region, and everything that upsert would do."""
    del project
    answer = pipelines("plan")
    assert answer.code == 0, answer.err
    assert account.proxy.changes() == []
    assert answer.out.splitlines() == [
        "churn in account 123456789012, region us-east-1",
        "upload    code of features",
        "upload    code of train",
        "upload    code of register",
        "upload    data customers (2 files)",
        "create    model package group churn-models",
        "create    pipeline churn",
        "5 to upload, 2 to create",
        COST,
        quota("ml.m5.xlarge", "processing"),
        quota("ml.m5.xlarge", "training"),
    ]


def test_check_says_by_its_exit_code_whether_there_is_something_to_do(
    account: Account, project: Path, pipelines: Command
) -> None:
    """6 when there is, 0 when not; the plan is shown in both cases."""
    assert pipelines("plan", "--check").code == 6
    pipelines(*UPSERT)
    answer = pipelines("plan", "--check")
    assert answer.code == 0
    assert "nothing to do" in answer.out
    edit(project / "steps/train.py", "training", "training more")
    answer = pipelines("plan", "--check", "--format", "json")
    assert answer.code == 6
    assert json.loads(answer.out)["has_changes"] is True
    assert json.loads(answer.out)["cost"]["execution_at_most"]["known"] is None
    account.proxy.seen.clear()
    assert pipelines("plan", "--check").code == 6
    assert account.proxy.changes() == []


@pytest.mark.usefixtures("account")
def test_a_change_has_its_cost_beside_the_one_before(project: Path, pipelines: Command) -> None:
    """Two instances in place of one, a day each; a file of prices that is wrong hides no plan."""
    pipelines(*UPSERT)
    prices = {"training/ml.m5.xlarge": 1, "processing/ml.m5.xlarge": 1}
    (project / "prices.json").write_text(json.dumps(prices))
    script = "    script: steps/train.py\n"
    edit(project / "pipeline.yaml", script, f"{script}    instance_count: 2\n")
    answer = pipelines("plan")
    said = (
        "cost: the most for an execution is at least 96.00 $ (until now at least 72.00 $); unknown:"
    )
    assert said in answer.out
    (project / "prices.json").write_text("{")
    answer = pipelines("plan")
    assert answer.code == 0
    assert "cost: unknown, " in answer.out
    assert "prices.json:1:1: this `{` is never closed" in answer.out


def test_a_schedule_that_the_account_has_otherwise_is_told(
    account: Account, project: Path, pipelines: Command
) -> None:
    """In every format; the JSON has the quotas, too."""
    del account
    schedule = "schedule: {nightly: {cron: '0 3 * * ? *'}}\nsteps:\n"
    edit(project / "pipeline.yaml", "steps:\n", schedule)
    pipelines(*UPSERT)
    missing = "there is no schedule churn-nightly (`cron(0 3 * * ? *)` in UTC)"
    assert missing in pipelines("plan").out
    shown = json.loads(pipelines("plan", "--format", "json").out)
    assert [one[: len(missing)] for one in shown["warnings"]] == [missing]
    assert quota("ml.m5.xlarge", "training").removeprefix("quota: ") in shown["quotas"]
    scheduler = boto3.client("scheduler", "us-east-1")
    scheduler.create_schedule(
        Name="churn-nightly",
        ScheduleExpression="cron(0 2 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": "arn:aws:sagemaker:us-east-1:123456789012:pipeline/churn",
            "RoleArn": "arn:aws:iam::123456789012:role/start",
        },
    )
    has = "has `cron(0 2 * * ? *)`, the spec `cron(0 3 * * ? *)`"
    assert f"the schedule churn-nightly {has}" in pipelines("plan").out
    assert "`cron(0 2 * * ? *)`" in pipelines("plan", "--format", "markdown").out


def test_files_and_members_that_changed_are_named(
    account: Account, project: Path, pipelines: Command
) -> None:
    """In the words of the spec; and which steps run again, and why."""
    del account
    pipelines(*UPSERT)
    edit(project / "steps/features.py", "import os", "import os  # for its folder")
    edit(project / "data/a.csv", "1,0", "1,1")
    (project / "data/c.csv").write_text("id,left\n")
    train = "    script: steps/train.py\n"
    edit(project / "pipeline.yaml", train, f"{train}    instance_type: ml.m5.2xlarge\n")
    answer = pipelines("plan")
    assert answer.code == 0, answer.err
    assert answer.out.splitlines() == [
        "churn in account 123456789012, region us-east-1",
        "upload    code of features: steps/features.py",
        "upload    data customers: a.csv, c.csv (new)",
        "unchanged model package group churn-models",
        "update    pipeline churn",
        "  ~ features.inputs.customers: a.csv, c.csv (new)",
        "  ~ features.code: steps/features.py",
        "  ~ train.instance_type: ml.m5.xlarge → ml.m5.2xlarge",
        "steps that miss their cache and run again:",
        "  features: inputs.customers changed: a.csv, c.csv (new); code changed: steps/features.py",
        "  train: features runs again and changes its input",
        "  register-package: train runs again and changes its input",
        "4 to upload, 1 to update",
        COST,
        quota("ml.m5.xlarge", "processing"),
        quota("ml.m5.2xlarge", "training"),
    ]


def test_a_changed_deployment_is_told_by_the_keys_of_its_block(
    account: Account, project: Path, pipelines: Command
) -> None:
    """They lie in a bundle: the definition shows another hash, and the plan which keys differ."""
    del account
    add_deployment(project)
    spec = project / "pipeline.yaml"
    before = "realtime: {instance_type: ml.m5.large, autoscaling: {max: 4, %s: 500}}"
    edit(
        spec,
        "serverless: {memory_size_in_mb: 2048, max_concurrency: 5}",
        before % "invocations_per_instance",
    )
    pipelines(*UPSERT)
    after = before.replace("4", "6").replace("500}", "500}, shadow: pending")
    edit(
        spec,
        before % "invocations_per_instance",
        after % "concurrent_requests_per_instance",
    )
    lines = pipelines("plan").out.splitlines()
    changes = [line for line in lines if line.startswith(("  ~", "  -", "  +"))]
    assert "upload    code of deploy: the step's configuration" in lines
    assert changes == 2 * [
        "  ~ deploy.code: the step's configuration",
        "  ~ deploy.realtime.autoscaling.max: 4 → 6",
        "  - deploy.realtime.autoscaling.invocations_per_instance: 500.0",
        "  + deploy.realtime.autoscaling.concurrent_requests_per_instance: 500.0",
        "  + deploy.realtime.shadow: pending",
    ]
    (upload,) = planned(pipelines)["uploads"]
    settings = upload["changed_files"][0]["settings"]
    assert settings[0] == {
        "change": "changed",
        "key": "realtime.autoscaling.max",
        "before": 4,
        "after": 6,
    }


def test_json_has_every_path_in_full(account: Account, project: Path, pipelines: Command) -> None:
    """Stable keys, and values as they stand in the definition."""
    del account
    pipelines(*UPSERT)
    edit(project / "pipeline.yaml", "  role: arn:aws:iam::123456789012:role/jobs",
         "  role: arn:aws:iam::123456789012:role/other")  # fmt: skip
    document = planned(pipelines)
    assert document["version"] == 1
    assert document["target"] == {"account": "123456789012", "region": "us-east-1", "local": False}
    (pipeline,) = document["pipelines"]
    assert pipeline["action"] == "update"
    roles = {(c["step"], tuple(c["path"])): c["after"] for c in pipeline["changes"]}
    steps = ("features", "train", "register-package")
    places = [(None, ("RoleArn",)), *((step, ("Arguments", "RoleArn")) for step in steps)]
    assert roles == dict.fromkeys(places, "arn:aws:iam::123456789012:role/other")
    assert document["cache_misses"] == []


def test_a_change_that_several_steps_share_is_one_line(
    account: Account, project: Path, pipelines: Command
) -> None:
    """As the role of all of them."""
    del account
    pipelines(*UPSERT)
    edit(project / "pipeline.yaml", "role/jobs\n  bucket", "role/other\n  bucket")
    lines = pipelines("plan").out.splitlines()
    change = "arn:aws:iam::123456789012:role/jobs → arn:aws:iam::123456789012:role/other"
    assert f"  ~ role: {change}" in lines
    assert f"  ~ features, train, register-package.role: {change}" in lines


def test_the_name_of_a_file_is_no_reason_to_fail(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Where the old bundle cannot be read, the plan says less."""
    pipelines(*UPSERT)
    edit(project / "steps/features.py", "import os", "import os  # for its folder")
    account.proxy.faults.append(Fault("GetObject", refusal("AccessDenied", status=403), -1))
    lines = pipelines("plan").out.splitlines()
    assert "upload    code of features" in lines
    assert any(line.startswith("  ~ features.code: s3://") for line in lines)


def test_an_object_that_somebody_deleted_is_uploaded_again(
    account: Account, project: Path, pipelines: Command
) -> None:
    """The pipeline is unchanged then."""
    del project
    pipelines(*UPSERT)
    (key,) = [key for key in account.keys(BUCKET) if "/code/train/" in key]
    account.client("s3").delete_object(Bucket=BUCKET, Key=key)
    document = planned(pipelines)
    assert [upload["name"] for upload in document["uploads"]] == ["train"]
    assert {one["action"] for one in document["pipelines"]} == {"unchanged"}
    account.proxy.seen.clear()
    assert pipelines(*UPSERT).code == 0
    assert account.proxy.changes() == ["PutObject"]


def test_a_pipeline_of_somebody_else_is_named_as_such(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Also where its definition is nothing that can be compared."""
    del project
    account.client("sagemaker").create_pipeline(
        PipelineName=PIPELINE,
        PipelineDefinition="no JSON at all",
        ClientRequestToken="0" * 32,
        RoleArn="arn:aws:iam::123456789012:role/theirs",
    )
    answer = pipelines("plan")
    assert answer.code == 0, answer.err
    assert "pipeline churn (not created from this spec)" in answer.out
    assert planned(pipelines)["pipelines"][0]["foreign"] is True


@pytest.mark.parametrize("arguments", [("plan",), ("upsert",)])
def test_without_an_account_in_the_spec_local_is_named(
    project: Path, pipelines: Command, arguments: tuple[str, ...]
) -> None:
    """Before anything is asked of anybody."""
    text = (project / "pipeline.yaml").read_text()
    head, _, rest = text.partition("\naws:\n")
    (project / "pipeline.yaml").write_text(head + "\n" + rest.partition("\n\n")[2])
    answer = pipelines(*arguments)
    assert answer.code == 2
    assert "--local" in answer.err


def test_without_credentials_local_is_named(
    account: Account, project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 4, no traceback."""
    del account, project
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    answer = pipelines("plan")
    assert answer.code == 4
    assert "there are no AWS credentials" in answer.err
    assert "--local" in answer.err


def test_a_deployment_is_a_second_pipeline_that_wants_a_rule(
    account: Account, project: Path, pipelines: Command
) -> None:
    """`<name>-deploy` is planned like the main one; without a rule nothing would start it."""
    add_deployment(project)
    answer = pipelines(*UPSERT)
    assert answer.code == 0, answer.err
    assert "create    pipeline churn-deploy" in answer.out
    assert "warning: no EventBridge rule starts churn-deploy when a model is approved" in answer.out
    assert account.proxy.changes()[-2:] == ["CreatePipeline", "CreatePipeline"]
    account.proxy.seen.clear()
    answer = pipelines("upsert")
    assert answer.code == 0, answer.err
    assert account.proxy.changes() == []
    assert "no EventBridge rule starts churn-deploy" in answer.out
    events = account.client("events")
    arn = account.pipeline("churn-deploy")["PipelineArn"]
    events.put_rule(Name="approved", EventPattern='{"source": ["aws.sagemaker"]}')
    events.put_targets(Rule="approved", Targets=[{"Id": "deploy", "Arn": arn}])
    assert "no rule" not in pipelines("plan").out


def test_a_deploy_pipeline_that_the_spec_has_no_more_is_warned_of(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Approvals would go on starting it. One of somebody else's is none of ours."""
    spec = project / "pipeline.yaml"
    without = spec.read_text("utf-8")
    add_deployment(project)
    assert pipelines(*UPSERT).code == 0
    spec.write_text(without, "utf-8")
    warning, of_endpoint = planned(pipelines)["warnings"]
    assert "churn-deploy still exists" in warning
    assert "delete-pipeline --pipeline-name churn-deploy" in warning
    assert "delete-endpoint --endpoint-name churn" in of_endpoint
    arn = account.pipeline("churn-deploy")["PipelineArn"]
    tag = {"Key": "sagemaker-pipelines-as-code", "Value": "churn-deploy"}
    account.client("sagemaker").add_tags(ResourceArn=arn, Tags=[tag])
    assert planned(pipelines)["warnings"] == [of_endpoint]
    denied = refusal("AccessDeniedException", "no")
    account.proxy.faults.append(
        Fault("DescribePipeline", denied, match=lambda seen: b"churn-deploy" in seen.body)
    )
    assert planned(pipelines)["warnings"] == [of_endpoint]
