"""The acceptance suite's own way into an account, against moto's server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.acceptance.account import make_bucket, parsed, target_of
from tests.acceptance.cleaning import PREFIX, clean
from tests.acceptance.target import TAG

ROOT = Path(__file__).parents[3]
ROLE = "arn:aws:iam::123456789012:role/acceptance"
PRICES = {
    "training/ml.m5.large": 0.1,
    "processing/ml.t3.medium": 0.1,
    "transform/ml.m5.large": 0.1,
    "serverless/2048MB": 0.1,
}


OPTIONS = ["run", "--profile", "mine", "--region", "us-east-1", "--role", ROLE, "--budget", "5"]


@pytest.fixture
def empty(moto: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make an empty account with a profile, and point boto3 at it."""
    url = f"http://{moto[0]}:{moto[1]}"
    urllib.request.urlopen(f"{url}/moto-api/reset", data=b"").close()  # noqa: S310 - moto's own
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "config").write_text("[profile mine]\nregion = us-east-1\n")
    keys = "aws_access_key_id = a\naws_secret_access_key = b\n"
    (tmp_path / "credentials").write_text(f"[default]\n{keys}[mine]\n{keys}")
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))


def client(service: str) -> Any:
    """Make a client of the account."""
    make: Any = boto3.client
    return make(service, region_name="us-east-1")


def fill(name: str, **tags: object) -> None:
    """Make a pipeline, a group with a version, and a bucket with an object."""
    sagemaker, s3 = client("sagemaker"), client("s3")
    text = '{"Version": "2020-12-01", "Steps": []}'
    sagemaker.create_pipeline(
        PipelineName=name,
        PipelineDefinition=text,
        RoleArn=ROLE,
        ClientRequestToken="t" * 32,
        **tags,
    )
    sagemaker.create_model_package_group(ModelPackageGroupName=name, **tags)
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a/b", Body=b"x")
    if tags:
        s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": tags["Tags"]})


def names() -> tuple[set[str], ...]:
    """Return the names of what a run makes; moto deletes no groups."""
    sagemaker = client("sagemaker")
    return (
        {one["PipelineName"] for one in sagemaker.list_pipelines()["PipelineSummaries"]},
        {one["Name"] for one in client("s3").list_buckets()["Buckets"]},
        {one["EndpointName"] for one in sagemaker.list_endpoints()["Endpoints"]},
        {one["EndpointConfigName"] for one in sagemaker.list_endpoint_configs()["EndpointConfigs"]},
        {one["Name"] for one in client("events").list_rules()["Rules"]},
        {*client("sqs").list_queues().get("QueueUrls", [])},
    )


@pytest.mark.usefixtures("empty")
def test_cleaning_deletes_what_has_both_the_prefix_and_the_tag() -> None:
    """What only has a name like ours is somebody else's; what cannot be deleted stops nothing."""
    before = names()
    fill(f"{PREFIX}abc-x", Tags=[{"Key": TAG, "Value": "abc"}])
    fill(f"{PREFIX}untagged")
    fill("others", Tags=[{"Key": TAG, "Value": "abc"}])
    (problem,) = clean(client, PREFIX)
    assert problem.startswith(f"group {PREFIX}abc-x: ")
    kept = {f"{PREFIX}untagged", "others"}
    assert names() == (before[0] | kept, before[1] | kept, *before[2:])


@pytest.mark.usefixtures("empty")
def test_cleaning_by_another_prefix_is_refused() -> None:
    """An empty one would be the whole account."""
    with pytest.raises(ValueError, match="is not the prefix of a run"):
        clean(client, "")


def started(tmp_path: Path, *more: str) -> subprocess.Popen[str]:
    """Start a run in the account as `make acceptance` does."""
    prices = tmp_path / "prices.json"
    prices.write_text(json.dumps(PRICES))
    words = ("-m", "tests.acceptance.account", "run", "--profile", "mine", "--region", "us-east-1")
    return subprocess.Popen(
        [
            *(sys.executable, *words, "--role", ROLE, "--prices", str(prices)),
            *("--report", str(tmp_path / "report"), "--patience", "3", *more),
        ],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.usefixtures("empty")
def test_a_run_whose_plan_is_above_the_budget_makes_nothing(tmp_path: Path) -> None:
    """It exits with 2 before it asks."""
    before = names()
    run = started(tmp_path, "--budget", "0.001")
    said, _ = run.communicate("yes\n", timeout=120)
    assert run.returncode == 2, said
    assert "may cost" in said
    assert names() == before


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("answer", ["\n", ""])
def test_a_run_that_nobody_confirms_makes_nothing(answer: str, tmp_path: Path) -> None:
    """Only yes starts it, not the end of the input; the plan was shown before."""
    before = names()
    run = started(tmp_path, "--budget", "5")
    said, _ = run.communicate(answer, timeout=120)
    assert run.returncode == 1, said
    assert "training/ml.m5.large" in said
    assert names() == before


@pytest.mark.slow
@pytest.mark.usefixtures("empty")
def test_a_run_reports_and_leaves_nothing(tmp_path: Path) -> None:
    """Moto knows a part of the operations: a part holds, a part differs, a part is not tried."""
    before = names()
    run = started(tmp_path, "--budget", "5")
    said, _ = run.communicate("yes\n", timeout=240)
    report = json.loads((tmp_path / "report" / "report.json").read_text("utf-8"))
    verdicts = {test["verdict"] for fact in report["facts"].values() for test in fact["tests"]}
    assert verdicts == {"holds", "differs", "not tried"}, said
    assert all(one.startswith("group ") for one in report["left behind"]), said
    assert names() == before


@pytest.mark.slow
@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_run_that_is_interrupted_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """Ctrl-C, or `kill`, ends the tests; cleaning and the report follow."""
    before = names()
    run = started(tmp_path, "--budget", "5")
    assert run.stdin is not None
    run.stdin.write("yes\n")
    run.stdin.flush()
    end = time.monotonic() + 120
    while names() == before and time.monotonic() < end:
        time.sleep(0.05)
    run.send_signal(number)
    said, _ = run.communicate(timeout=120)
    assert run.returncode != 0, said
    assert (tmp_path / "report" / "report.md").is_file(), said
    assert names() == before


@pytest.mark.usefixtures("empty")
@pytest.mark.parametrize("call", ["before-call", "after-call"])
@pytest.mark.parametrize("operation", ["CreateBucket", "PutBucketTagging"])
def test_a_bucket_whose_making_is_interrupted_is_deleted(call: str, operation: str) -> None:
    """Without its tag the cleaning would take it for somebody else's."""
    before = names()
    s3 = client("s3")

    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    s3.meta.events.register(f"{call}.s3.{operation}", interrupt)
    name = f"{PREFIX}abc"
    options = parsed(OPTIONS)
    target = target_of(options, lambda _: s3, name)
    with pytest.raises(KeyboardInterrupt):
        make_bucket(target, "us-east-1")
    assert names() == before
