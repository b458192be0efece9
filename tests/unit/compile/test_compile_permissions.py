"""What a pipeline needs of its roles, derived from what it compiles to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import programs
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.compile.permissions import permissions
from pipelines.spec.model import Aws

SPEC = """\
spec: 1
pipeline: churn
aws:
  region: eu-central-1
  role: arn:aws:iam::123456789012:role/jobs
  deploy_role: arn:aws:iam::123456789012:role/deployer
  bucket: team
steps:
  features:
    kind: processing
    image: sklearn-1.9-cpu
    instance_type: ml.m5.large
    script: features.py
    inputs: {raw: "s3://lake/churn/"}
    outputs: [train]
  deploy:
    kind: deployment
    group: churn
    endpoint: churn
    serverless: {}
"""
JOBS, DEPLOYER = (f"arn:aws:iam::123456789012:role/{name}" for name in ("jobs", "deployer"))


@pytest.fixture
def needed(tmp_path: Path) -> dict[tuple[str, str, str], tuple[str, ...]]:
    """(role, step, action) → resources of a pipeline with one job and one deployment."""
    (tmp_path / "pipeline.yaml").write_text(SPEC)
    (tmp_path / "features.py").write_text("")
    compiled = compile_spec(CompileRequest(tmp_path / "pipeline.yaml", None, {})).compiled
    assert compiled is not None
    aws = Aws(
        region="eu-central-1",
        role=JOBS,
        deploy_role=DEPLOYER,
        bucket="team",
    )
    found = permissions(compiled, aws)
    return {(one.role, one.step, one.action): one.resources for one in found}


Needed = dict[tuple[str, str, str], tuple[str, ...]]


def test_the_role_of_the_pipeline_starts_steps_and_passes_the_roles_of_their_jobs(
    needed: Needed,
) -> None:
    """By the Types of the steps."""
    assert needed[JOBS, "features", "sagemaker:CreateProcessingJob"] == ()
    assert needed[JOBS, "features", "iam:PassRole"] == (JOBS,)
    assert needed[JOBS, "deploy", "iam:PassRole"] == (DEPLOYER,)


def test_the_role_of_a_job_reads_its_code_and_inputs_writes_outputs_and_logs(
    needed: Needed,
) -> None:
    """As far as it is known before the pipeline runs."""
    code, raw = needed[JOBS, "features", "s3:GetObject"][::-1]
    assert code.startswith("arn:aws:s3:::team/churn/code/features/")
    assert raw == "arn:aws:s3:::lake/churn/*"
    assert needed[JOBS, "features", "s3:PutObject"] == ("arn:aws:s3:::team/churn/runs/*",)
    buckets = ("arn:aws:s3:::lake", "arn:aws:s3:::team")
    assert needed[JOBS, "features", "s3:ListBucket"] == buckets
    group = "log-group:/aws/sagemaker/ProcessingJobs*"
    logs = (f"arn:aws:logs:eu-central-1:123456789012:{group}",)
    assert needed[JOBS, "features", "logs:PutLogEvents"] == logs
    assert needed[JOBS, "features", "ecr:GetAuthorizationToken"] == ()
    (image,) = needed[JOBS, "features", "ecr:BatchGetImage"]
    assert image.endswith(":repository/sagemaker-scikit-learn")


def test_the_role_of_a_program_may_do_what_the_program_declares(needed: Needed) -> None:
    """And only that role: the one of the other jobs changes no endpoint."""
    declared = programs.declaration("deploy").actions
    assert {action for role, _, action in needed if role == DEPLOYER} >= set(declared)
    assert needed[DEPLOYER, "deploy", "iam:PassRole"] == (JOBS,)
    history = needed[DEPLOYER, "deploy", "s3:PutObject"]
    assert history == ("arn:aws:s3:::team/churn/deployments/*",)
    endpoint = "arn:aws:sagemaker:eu-central-1:123456789012:endpoint/*"
    assert needed[DEPLOYER, "deploy", "sagemaker:DeleteEndpoint"] == (endpoint,)
    assert not any("Endpoint" in action for role, _, action in needed if role == JOBS)
