from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.executors import processing, training
from pipelines.backends.local.jobs.environment import CLOSED_PORT, command_words, host_environment
from pipelines.backends.local.jobs.spec import HostPlan, JobHost, LocalJob
from pipelines.backends.local.settings import LocalSettings
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from tests.local.jobs.conftest import Local

HOSTS = tuple(JobHost(HostPlan(f"algo-{n}"), f"127.0.0.{n}", Path(f"/j/algo-{n}")) for n in (1, 2))
SETTINGS = LocalSettings(Path("/p/.pipelines"), Path("/venv/bin/python3.11"))
ONE = LocalJob("job", "arn", HOSTS[:1], "rewrite", Path("/scratch/job-x"))


def build(
    requested: dict[str, str], outside: dict[str, str], job: LocalJob = ONE
) -> dict[str, str]:
    """Build the environment of the first host."""
    return host_environment(job, job.hosts[0], SETTINGS, requested=requested, outside=outside)


def test_nothing_of_aws_gets_in() -> None:
    """Neither the tool's environment nor the request can lead a job to a real account."""
    leaky = {
        "AWS_PROFILE": "prod",
        "AWS_ACCESS_KEY_ID": "AKIA",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SESSION_TOKEN": "token",
        "AWS_ROLE_ARN": "arn",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/x",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.2/x",
        "AWS_ENDPOINT_URL_S3": "https://s3.amazonaws.com",
        "AWS_ENDPOINT_URL": "https://aws",
        "AWS_CONFIG_FILE": "/home/me/.aws/config",
    }
    for requested, outside in (({}, leaky), (leaky, {})):
        built = build(requested, outside)
        assert {name: value for name, value in built.items() if name.startswith("AWS_")} == {
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_CONFIG_FILE": "/j/algo-1/no-aws-config",
            "AWS_SHARED_CREDENTIALS_FILE": "/j/algo-1/no-aws-config",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": CLOSED_PORT,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }


def test_a_withheld_variable_is_said_in_the_log(local: Local) -> None:
    """A request's own credentials are not dropped in silence."""
    environment = {"AWS_PROFILE": "prod", "AWS_REGION": "eu-west-1"}
    call = local.call(local.processing("sh", "-c", "echo $AWS_REGION", Environment=environment))
    processing.execute(call)
    assert local.log(call).splitlines() == [
        "warning: withheld, because a local job must not reach AWS: AWS_PROFILE",
        "eu-west-1",
    ]


def test_only_what_a_job_needs_is_passed_on() -> None:
    """Certificates, proxies and the configuration of pip pass; the rest of the shell does not."""
    outside = {
        "PIP_INDEX_URL": "https://example.org/simple",
        "SSL_CERT_FILE": "/etc/ca.pem",
        "https_proxy": "http://proxy:1",
        "no_proxy": "example.org",
        "HOME": "/home/me",
        "PATH": "/usr/bin",
        "GITHUB_TOKEN": "secret",
        "PYTHONPATH": "/somewhere",
        "SM_MODEL_DIR": "/elsewhere",
    }
    built = build({}, outside)
    for name in ("PIP_INDEX_URL", "SSL_CERT_FILE", "https_proxy", "HOME"):
        assert built[name] == outside[name]
    assert built["no_proxy"] == "example.org,localhost,127.0.0.1,algo-1"
    assert built["PATH"] == f"/venv/bin{os.pathsep}/usr/bin"
    assert not {"GITHUB_TOKEN", "PYTHONPATH", "SM_MODEL_DIR"} & set(built)


def test_the_request_decides_over_our_defaults() -> None:
    """`Environment` of the request replaces what is set for convenience."""
    assert build({"LANG": "de_DE.UTF-8", "OMP_NUM_THREADS": "7"}, {})["LANG"] == "de_DE.UTF-8"


def test_paths_are_rewritten_in_values_and_words_but_not_in_uris() -> None:
    """/opt/ml is replaced as a whole path only: not inside a key, not as the start of a word."""
    values = {
        "A": "/opt/ml/model:/opt/ml",
        "B": "s3://bucket/opt/ml/x",
        "C": "/opt/mlflow",
        "D": "--dir=/opt/ml/x",
        "E": "/opt/ml.old",
    }
    built = build(values, {})
    assert built["A"] == "/j/algo-1/opt/ml/model:/j/algo-1/opt/ml"
    assert [built[name] for name in "BCE"] == [values[name] for name in "BCE"]
    assert built["D"] == "--dir=/j/algo-1/opt/ml/x"
    assert built["PIPELINES_OPT_ML"] == "/j/algo-1/opt/ml"
    assert command_words(ONE, HOSTS[0], ["cat", "/opt/ml/x"], SETTINGS) == (
        "cat",
        "/j/algo-1/opt/ml/x",
    )


@pytest.mark.parametrize(
    ("word", "started"),
    [
        ("python", "/venv/bin/python3.11"),
        ("python3", "/venv/bin/python3.11"),
        ("python3.12", "/venv/bin/python3.11"),
        ("/opt/venv/bin/python3", "/venv/bin/python3.11"),
        ("bash", "bash"),
        ("pythonic", "pythonic"),
    ],
)
def test_an_images_python_is_the_tools_interpreter(word: str, started: str) -> None:
    """Wherever the image keeps it; other programs are looked up as they are."""
    assert command_words(ONE, HOSTS[0], [word, "-V"], SETTINGS) == (started, "-V")


def test_hosts_of_one_job_share_the_cores() -> None:
    """Several hosts on one machine get a part of its threads each; a single one has them all."""
    two = LocalJob("job", "arn", HOSTS, "namespaces", Path("/scratch/job-x"))
    assert "OMP_NUM_THREADS" not in build({}, {})
    assert int(build({}, {}, two)["OMP_NUM_THREADS"]) >= 1
    assert "PIPELINES_OPT_ML" not in build({}, {}, two)


def test_a_training_job_knows_its_name(local: Local) -> None:
    """FACTS 3.4: TRAINING_JOB_NAME and TRAINING_JOB_ARN are the platform's variables."""
    call = local.call(local.training("sh", "-c", "echo $TRAINING_JOB_NAME $TRAINING_JOB_ARN"))
    outcome = training.execute(call)
    assert outcome.status is StepStatus.SUCCEEDED
    assert local.log(call).split() == [call.job_name, outcome.properties["TrainingJobArn"]]
