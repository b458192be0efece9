"""What the steps of a spec need of their roles, derived from what it compiles to."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import programs
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest
from pipelines.compile.permissions import permissions
from pipelines.kinds.modes.batch import job_name
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
BATCH = '    batch: {input: "s3://lake/in/", output: "s3://lake/out"}\n    on_approval: true\n'
SAGEMAKER = "arn:aws:sagemaker:eu-central-1:123456789012"
JOBS, DEPLOYER = (f"arn:aws:iam::123456789012:role/{name}" for name in ("jobs", "deployer"))

Needed = dict[tuple[str, str, str], tuple[str, ...]]


@pytest.fixture
def needed(tmp_path: Path) -> Needed:
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
    found: Needed = {}
    for one in permissions(compiled, aws):
        key = (one.role, one.step, one.action)
        found[key] = (*found.get(key, ()), *one.resources)
    return found


def test_the_role_of_the_pipeline_starts_steps_and_passes_the_roles_of_their_jobs(
    needed: Needed,
) -> None:
    """By the Types of the steps."""
    assert needed[JOBS, "features", "sagemaker:CreateProcessingJob"] == (
        f"{SAGEMAKER}:processing-job/pipelines-*",
    )
    assert needed[JOBS, "features", "iam:PassRole"] == (JOBS,)
    assert needed[JOBS, "deploy", "iam:PassRole"] == (DEPLOYER,)


def test_the_role_of_a_job_reads_its_code_and_inputs_writes_outputs_and_logs(
    needed: Needed,
) -> None:
    """As far as it is known before the pipeline runs."""
    read = ("arn:aws:s3:::lake/churn/*", "arn:aws:s3:::team/churn/code/*")
    assert needed[JOBS, "features", "s3:GetObject"] == read
    assert needed[JOBS, "features", "s3:PutObject"] == ("arn:aws:s3:::team/churn/runs/*",)
    buckets = ("arn:aws:s3:::lake", "arn:aws:s3:::team", "arn:aws:s3:::team")  # a prefix each
    assert needed[JOBS, "features", "s3:ListBucket"] == buckets
    group = "log-group:/aws/sagemaker/ProcessingJobs*"
    logs = (f"arn:aws:logs:eu-central-1:123456789012:{group}",)
    assert needed[JOBS, "features", "logs:PutLogEvents"] == logs
    assert needed[JOBS, "features", "ecr:GetAuthorizationToken"] == ("*",)
    (image,) = needed[JOBS, "features", "ecr:BatchGetImage"]
    assert image.endswith(":repository/sagemaker-scikit-learn")


def test_the_role_of_a_program_may_do_what_the_program_declares(needed: Needed) -> None:
    """And only that role: the one of the other jobs changes no endpoint."""
    declared = programs.declaration("deploy").actions
    assert {action for role, _, action in needed if role == DEPLOYER} >= set(declared)
    assert needed[DEPLOYER, "deploy", "iam:PassRole"] == (JOBS,)
    history = needed[DEPLOYER, "deploy", "s3:PutObject"]
    assert history == ("arn:aws:s3:::team/churn/deployments/churn/*",)
    assert needed[DEPLOYER, "deploy", "sagemaker:DeleteEndpoint"] == (
        f"{SAGEMAKER}:endpoint/churn",
    )
    created = needed[DEPLOYER, "deploy", "sagemaker:CreateModel"]
    assert created == (f"{SAGEMAKER}:model/churn-*",)
    assert not any("Endpoint" in action for role, _, action in needed if role == JOBS)


def test_the_alarms_of_an_update_are_watched_as_the_deployer(tmp_path: Path) -> None:
    """Exactly the alarms that the rollout names; without any, none may be read."""
    (tmp_path / "features.py").write_text("")
    rollout = "realtime: {instance_type: ml.m5.large, rollout: {alarms: [errors, slow]}}"
    for mode, count in ((rollout, 2), ("serverless: {}", 0)):
        (tmp_path / "pipeline.yaml").write_text(SPEC.replace("serverless: {}", mode))
        result = compile_spec(CompileRequest(tmp_path / "pipeline.yaml", None, {}))
        assert result.compiled is not None, result.checked.diagnostics
        aws = Aws(region="eu-central-1", role=JOBS, deploy_role=DEPLOYER, bucket="team")
        watching = [
            one
            for one in permissions(result.compiled, aws)
            if one.action == "cloudwatch:DescribeAlarms"
        ]
        alarm = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm"
        assert all(one.role == DEPLOYER for one in watching)
        assert {r for one in watching for r in one.resources} == {
            f"{alarm}:{name}" for name in ("errors", "slow")[:count]
        }


def test_an_asynchronous_endpoint_reads_requests_and_writes_answers_as_its_model(
    tmp_path: Path,
) -> None:
    """The deployer asks it with the sample; another endpoint's answers are not theirs."""
    mode = """asynchronous:
      instance_type: ml.m5.large
      output: s3://team/answers
      failure_output: s3://team/errors/
      notify: {success: "arn:aws:sns:eu-central-1:123456789012:good"}
      kms_key: alias/answers
"""
    (tmp_path / "pipeline.yaml").write_text(SPEC.replace("serverless: {}\n", mode))
    (tmp_path / "features.py").write_text("")
    compiled = compile_spec(CompileRequest(tmp_path / "pipeline.yaml", None, {})).compiled
    assert compiled is not None
    aws = Aws(region="eu-central-1", role=JOBS, deploy_role=DEPLOYER, bucket="team")
    found = permissions(compiled, aws)

    def on(role: str, action: str) -> set[str]:
        wanted = (role, "deploy", action)
        named = (one for one in found if (one.role, one.step, one.action) == wanted)
        return {resource for one in named for resource in one.resources}

    answers, errors = "arn:aws:s3:::team/answers/", "arn:aws:s3:::team/errors/"
    assert f"{answers}input/*" in on(JOBS, "s3:GetObject")
    assert not {f"{answers}*", f"{errors}*"} & on(JOBS, "s3:GetObject")
    assert {f"{answers}*", f"{errors}*"} <= on(JOBS, "s3:PutObject")
    assert on(JOBS, "sns:Publish") == {"arn:aws:sns:eu-central-1:123456789012:good"}
    assert on(JOBS, "kms:GenerateDataKey")
    assert {f"{answers}*", f"{errors}*"} <= on(DEPLOYER, "s3:GetObject")
    assert f"{answers}*" in on(DEPLOYER, "s3:PutObject")
    assert f"{errors}*" not in on(DEPLOYER, "s3:PutObject")
    assert on(DEPLOYER, "sagemaker:InvokeEndpointAsync") == {f"{SAGEMAKER}:endpoint/churn"}
    assert not on(DEPLOYER, "sns:Publish")


def test_what_only_asynchronous_endpoints_need_is_given_to_no_other(needed: Needed) -> None:
    """Neither the call nor the topics."""
    actions = {action for _, _, action in needed}
    assert not {"sagemaker:InvokeEndpointAsync", "sns:Publish"} & actions


TRANSFORM = """\
spec: 1
pipeline: churn
aws:
  region: eu-central-1
  role: arn:aws:iam::123456789012:role/jobs
  job_role: arn:aws:iam::123456789012:role/workers
  deploy_role: arn:aws:iam::123456789012:role/deployer
  bucket: team
steps:
  predict:
    kind: transform
    model: s3://lake/models/model.tar.gz
    serving: {image: sklearn-1.9-cpu, as_is: true}
    input: s3://lake/churn/
  registered:
    kind: transform
    version: ${steps.register.package}
    input: s3://lake/churn/
  register:
    kind: registration
    group: churn
    approval_status: Approved
    model: s3://lake/models/model.tar.gz
    serving: {source: serving/, image: sklearn-1.9-cpu}
"""


def test_a_batch_runs_with_the_role_of_its_model(tmp_path: Path) -> None:
    """That role reads archive, image and records and writes the results; the pipeline's starts."""
    (tmp_path / "pipeline.yaml").write_text(TRANSFORM)
    (tmp_path / "serving").mkdir()
    (tmp_path / "serving" / "inference.py").write_text("def model_fn(folder): ...")
    compiled = compile_spec(CompileRequest(tmp_path / "pipeline.yaml", None, {})).compiled
    assert compiled is not None
    worker = "arn:aws:iam::123456789012:role/workers"
    aws = Aws(
        region="eu-central-1", role=JOBS, job_role=worker, deploy_role=DEPLOYER, bucket="team"
    )
    found = {(p.role, p.step, p.action): p.resources for p in permissions(compiled, aws)}
    assert found[JOBS, "predict", "sagemaker:CreateTransformJob"]
    assert found[JOBS, "predict-model", "iam:PassRole"] == (worker,)
    assert set(found[worker, "predict", "s3:GetObject"]) == {
        "arn:aws:s3:::lake/churn/*",
        "arn:aws:s3:::lake/models/model.tar.gz*",
    }
    assert found[worker, "predict", "s3:PutObject"] == ("arn:aws:s3:::team/churn/runs/*",)
    (image,) = found[worker, "predict", "ecr:BatchGetImage"]
    assert image.endswith("repository/sagemaker-scikit-learn")
    assert "arn:aws:s3:::team/churn/packages/*" in found[worker, "registered", "s3:GetObject"]
    assert found[worker, "registered", "ecr:BatchGetImage"] == (image,)
    (logs,) = found[worker, "predict", "logs:PutLogEvents"]
    assert "/aws/sagemaker/TransformJobs" in logs


def test_a_batch_needs_no_right_on_endpoints(tmp_path: Path) -> None:
    """The deployer starts transform jobs and reads the input; the model reads it and writes."""
    spec = SPEC.replace("    endpoint: churn\n    serverless: {}\n", BATCH)
    (tmp_path / "pipeline.yaml").write_text(spec)
    (tmp_path / "features.py").write_text("")
    compiled = compile_spec(CompileRequest(tmp_path / "pipeline.yaml", None, {})).compiled
    assert compiled is not None
    aws = Aws(region="eu-central-1", role=JOBS, deploy_role=DEPLOYER, bucket="team")
    found = [one for one in permissions(compiled, aws) if one.step == "deploy"]
    assert not any("Endpoint" in one.action or "autoscaling" in one.action for one in found)
    resources = {(one.role, one.action): one.resources for one in found}
    job = f"{SAGEMAKER}:transform-job/{job_name('churn', 'deploy')}-*"
    assert resources[DEPLOYER, "sagemaker:CreateTransformJob"] == (job,)
    reads = {one for p in found if p.action == "s3:GetObject" for one in p.resources}
    assert {"arn:aws:s3:::lake/in/*", "arn:aws:s3:::team/churn/packages/*"} <= reads
    writes = {(p.role, one) for p in found if p.action == "s3:PutObject" for one in p.resources}
    assert (JOBS, "arn:aws:s3:::lake/out/*") in writes
    assert (DEPLOYER, "arn:aws:s3:::team/churn/deployments/deploy/*") in writes
