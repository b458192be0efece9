"""What the acceptance suite makes is found and deleted again."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from tests.acceptance.cleaning import PREFIX, clean
from tests.acceptance.definitions import ALWAYS, condition, create, definition, start
from tests.acceptance.local_target import local_target
from tests.acceptance.target import Target


def group(target: Target) -> str:
    """Make a group with a version."""
    name = target.named("group")
    target.sagemaker.create_model_package_group(ModelPackageGroupName=name, Tags=target.tags)
    target.sagemaker.create_model_package(ModelPackageGroupName=name)
    return name


def test_pipelines_groups_and_configs_of_a_run_are_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A group with its versions, a pipeline with its executions; others' stay."""
    with local_target(tmp_path / ".pipelines") as local:
        others = replace(local, prefix="others")
        target = replace(local, prefix=f"{PREFIX}abc")
        create(others, "pipeline", definition(condition("only", ALWAYS)))
        name = create(target, "pipeline", definition(condition("only", ALWAYS)))
        start(target, name)
        deleted = group(target)
        kept = group(others)
        assert clean(target.client, PREFIX) == []
        assert deleted in capsys.readouterr().out
        pipelines = target.sagemaker.list_pipelines()["PipelineSummaries"]
        groups = target.sagemaker.list_model_package_groups()["ModelPackageGroupSummaryList"]
        assert [one["PipelineName"] for one in pipelines] == ["others-pipeline"]
        assert [one["ModelPackageGroupName"] for one in groups] == [kept]


PROFILE = """\
[services parts]
sagemaker =
  endpoint_url = {local}
sagemaker_runtime =
  endpoint_url = {local}
s3 =
  endpoint_url = {moto}
sqs =
  endpoint_url = {moto}
eventbridge =
  endpoint_url = {moto}
[profile account]
services = parts
region = us-east-1
aws_access_key_id = any
aws_secret_access_key = any
"""
PRICES = {
    "training/ml.m5.large": 0.1,
    "processing/ml.t3.medium": 0.1,
    "transform/ml.m5.large": 0.1,
    "serverless/2048MB": 0.1,
}


@pytest.mark.slow
def test_a_run_that_is_interrupted_reports_and_leaves_nothing(tmp_path: Path) -> None:
    """Ctrl-C while tests run: the rest, rule and queue among it, is deleted all the same."""
    from moto.server import ThreadedMotoServer  # noqa: PLC0415 - takes a while

    moto = ThreadedMotoServer(port=0, verbose=False)
    moto.start()
    place = "http://{}:{}".format(*moto.get_host_and_port())
    with local_target(tmp_path / ".pipelines") as target:
        local = target.sagemaker.meta.endpoint_url
        (tmp_path / "config").write_text(PROFILE.format(local=local, moto=place))
        (tmp_path / "prices.json").write_text(json.dumps(PRICES))
        words = ["--profile", "account", "--region", "us-east-1", "--role", target.role]
        words += ["--budget", "5", "--patience", "60", "--prices", f"{tmp_path}/prices.json"]
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.account", "run", *words, "--report", tmp_path],
            env={**os.environ, "AWS_CONFIG_FILE": f"{tmp_path}/config"},
            cwd=Path(__file__).parents[3],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert process.stdin is not None
        process.stdin.write("yes\n")
        process.stdin.flush()
        while process.poll() is None and not target.sagemaker.list_models()["Models"]:
            time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=120)
        assert (process.returncode, "left behind" in said) == (2, False), said
        assert "deleted bucket" in said
        assert "deleted model" in said
        assert target.sagemaker.list_models()["Models"] == []
        assert target.sagemaker.list_endpoints()["Endpoints"] == []
        assert (tmp_path / "report.md").exists()
    moto.stop()
