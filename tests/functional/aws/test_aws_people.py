"""What people's commands call is what the policies for people allow, and nothing else is."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.infra.model import Environment
from pipelines.infra.people import Part, people
from pipelines.infra.policies import Statement
from tests.functional.aws.account import ACCOUNT, REGION, Account
from tests.functional.aws.asked import PLACE, called, denied, environment_of, needless
from tests.functional.aws.command import Command
from tests.functional.aws.executions import Frame, mend, step, write_log
from tests.functional.aws.project import BUCKET, GROUP, add_deployment, edit
from tests.functional.aws.test_aws_deploy_foreign import ARCHIVE, register
from tests.functional.aws.test_aws_promote import ARCHIVE as MODEL
from tests.functional.aws.test_aws_promote import OWN, THERE, Regions, regions
from tests.functional.aws.training_executions import BADLY, JOB
from tests.functional.aws.training_executions import GROUP as LOGS
from tests.iam.calls import needs
from tests.iam.evaluator import Request

__all__ = ["regions"]
"""A fixture of the promotions."""

pytestmark = pytest.mark.usefixtures("quick_following")


def part(environment: Environment, name: str) -> tuple[Statement, ...]:
    """Return what somebody may do who has one of the policies."""
    found: Part = next(one for one in people(environment) if one.name == name)
    return found.statements


@pytest.fixture
def upserted(account: Account, project: Path, pipelines: Command) -> Environment:
    """Upsert a pipeline with a deployment."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    account.proxy.seen.clear()
    return environment_of(project)


def test_an_approver_decides_and_looks_at_what_is_decided(
    account: Account, upserted: Environment, pipelines: Command
) -> None:
    """Approving, rejecting, `models` in all its forms; the deployer is started without a rule."""
    registry = account.client("sagemaker")
    report = f"s3://{upserted.aws.bucket}/{upserted.compiled.pipeline}/runs/a/report.json"
    account.client("s3").put_object(
        Bucket=upserted.aws.bucket, Key=report.split("/", 3)[3], Body=b'{"auc": 0.9}'
    )
    execution = f"{PLACE}pipeline/churn/execution/abcdefghijkl"
    registry.create_model_package(
        ModelPackageGroupName=GROUP,
        ModelApprovalStatus="PendingManualApproval",
        MetadataProperties={"GeneratedBy": execution},
        ModelMetrics={
            "ModelQuality": {"Statistics": {"ContentType": "application/json", "S3Uri": report}}
        },
    )
    for command in (
        ("models",),
        ("models", GROUP),
        ("models", "show", f"{GROUP}/1"),
        ("approve", f"{GROUP}/1", "--yes", "--reason", "fine"),
        ("reject", f"{GROUP}/1", "--yes"),
    ):
        answer = pipelines(*command)
        assert answer.code == 0, (command, answer.err)
    requests, may = called(account), part(upserted, "approver")
    assert {"sagemaker:UpdateModelPackage", "s3:GetObject"} <= {one.action for one in requests}
    assert denied(requests, may) == []
    assert needless(requests, may) == []


def test_an_operator_plans_starts_watches_and_stops(
    account: Account, upserted: Environment, pipelines: Command
) -> None:
    """With the logs of a step that fails."""
    mends = mend(account, BADLY)
    write_log(account, LOGS, f"{JOB}-0/algo-1", ["it", "broke"])
    assert pipelines("plan").code == 0
    assert pipelines("start", "--wait").code == 5
    mends.script = [Frame("Executing", [step("train")])]
    execution = pipelines("start").out.split()[-1]
    assert pipelines("status").code == pipelines("stop", execution).code == 0
    requests, may = called(account), part(upserted, "operator")
    actions = {one.action for one in requests}
    assert {"logs:GetLogEvents", "sagemaker:StopPipelineExecution"} <= actions
    assert denied(requests, may) == []
    assert needless(requests, may) == []


def _on(operation: str, **request: str) -> list[Request]:
    return list(needs("sagemaker", operation, dict(request), PLACE))


def test_a_part_has_none_of_the_others(upserted: Environment) -> None:
    """Who starts a run approves nothing; who approves starts no run and changes no endpoint."""
    version = f"{PLACE}model-package/{GROUP}/1"
    bucket, pipeline = upserted.aws.bucket, upserted.compiled.pipeline
    own = f"arn:aws:s3:::{bucket}/{pipeline}"
    role = f"arn:aws:iam::{ACCOUNT}:role/anything"
    passing = Request("iam:PassRole", role, {"iam:PassedToService": "sagemaker.amazonaws.com"})
    nobody = [
        *_on("UpdatePipeline", PipelineName=pipeline),
        *_on("CreateModelPackage", ModelPackageGroupName=GROUP),
        *(Request("s3:PutObject", f"{own}/{area}/a") for area in ("code", "packages", "runs")),
        passing,
    ]
    endpoint = _on("UpdateEndpoint", EndpointName="churn", EndpointConfigName="churn-1")
    approving = _on("UpdateModelPackage", ModelPackageArn=version)
    starting = _on("StartPipelineExecution", PipelineName=pipeline)
    for name, attacks in {
        "operator": [*approving, *endpoint],
        "approver": [*starting, *endpoint],
        "deployer": [*starting, *approving],
    }.items():
        requests = [*nobody, *attacks]
        assert denied(requests, part(upserted, name)) == requests


def test_a_deployer_makes_the_endpoint_follow(
    account: Account, upserted: Environment, pipelines: Command
) -> None:
    """`deploy` works with the rights of who gives it, here with those of the deployer's program."""
    register(account, ARCHIVE)
    assert pipelines("deploy", "--yes").code == 0
    requests = called(account)
    assert "sagemaker:CreateEndpoint" in {one.action for one in requests}
    assert denied(requests, part(upserted, "deployer")) == []


def test_a_promotion_reads_here_and_makes_a_pending_version_there(
    regions: Regions, project: Path
) -> None:
    """With files and an image of one's own; a second time nothing is needed that was not."""
    account = regions.account
    archive = {"ModelDataUrl": f"s3://{BUCKET}/churn/packages/a/model.tar.gz"}
    account.client("s3").put_object(Bucket=BUCKET, Key=archive["ModelDataUrl"][17:], Body=MODEL)
    regions.register(f"{OWN}@{regions.push()}", archive)
    served = "source: serving/\n      image: "
    edit(project / "pipeline.yaml", f"{served}sklearn-1.9-cpu", f"{served}{OWN}:2")
    account.proxy.seen.clear()
    for _ in range(2):
        left = regions.promote("--yes")
        assert left.code == 0, left.err
    for env, part_name, region in (
        (None, "promotion-source", REGION),
        ("europe", "promotion-target", THERE),
    ):
        requests = called(account, region)
        may = part(environment_of(project, env), part_name)
        assert {"s3:GetObject", "ecr:BatchGetImage"} <= {one.action for one in requests}
        assert denied(requests, may) == []
        assert needless(requests, may) == []


def test_nobody_approves_or_deploys_where_nothing_is(account: Account, project: Path) -> None:
    """There is only something to run; a spec that deploys has all the parts."""
    assert account.keys(BUCKET) == []
    promotion = ["promotion-source", "promotion-target"]
    names = [one.name for one in people(environment_of(project))]
    assert names == ["operator", "approver", *promotion]
    add_deployment(project)
    names = [one.name for one in people(environment_of(project))]
    assert names == ["operator", "approver", "deployer", *promotion]
