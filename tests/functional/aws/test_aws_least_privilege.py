"""What `plan`, `upsert` and `start --wait` call, as the role of a build that may do just that."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.infra.commands import planning, releasing
from tests.functional.aws.account import ACCOUNT, Account
from tests.functional.aws.asked import PLACE, called, denied, environment_of, needless
from tests.functional.aws.command import Command
from tests.functional.aws.executions import mend, write_log
from tests.functional.aws.project import add_deployment, edit
from tests.functional.aws.training_executions import BADLY, GROUP, JOB
from tests.iam.calls import needs
from tests.iam.evaluator import Request

pytestmark = pytest.mark.usefixtures("quick_following")


def test_a_plan_reads_what_its_role_may_read(
    account: Account, project: Path, pipelines: Command
) -> None:
    """Before there is anything, and when all is there."""
    add_deployment(project)
    assert pipelines("plan").code == 0
    assert pipelines("upsert", "--yes").code == 0
    account.proxy.seen.clear()
    assert pipelines("plan").code == 0
    requests = called(account)
    assert len(requests) > 5
    assert denied(requests, planning(environment_of(project))) == []


@pytest.fixture
def released(account: Account, project: Path, pipelines: Command) -> tuple[Account, Path]:
    """Release twice, with a change in between, and follow an execution that fails."""
    add_deployment(project)
    assert pipelines("upsert", "--yes").code == 0
    edit(project / "steps/train.py", "training", "training more")
    edit(project / "pipeline.yaml", "tags: {team: ml}", "tags: {unit: ml}")
    assert pipelines("upsert", "--yes").code == 0
    mend(account, BADLY)
    write_log(account, GROUP, f"{JOB}-0/algo-1", ["it", "broke"])
    assert pipelines("start", "--wait").code == 5
    return account, project


def test_a_release_does_what_its_role_may_do(released: tuple[Account, Path]) -> None:
    """Creating, updating, tags, uploads, starting, following, logs."""
    account, project = released
    assert denied(called(account), releasing(environment_of(project))) == []


def test_without_a_statement_that_serves_a_call_one_is_denied(
    released: tuple[Account, Path],
) -> None:
    """Each statement that allows a call that was made is needed for one."""
    account, project = released
    assert needless(called(account), releasing(environment_of(project))) == []


def test_a_build_may_not_do_what_it_has_not_to_do(project: Path) -> None:
    """It approves nothing, changes no endpoint, passes only the pipeline's role."""
    add_deployment(project)
    package = f"{PLACE}model-package/churn-models/1"
    attacks = [
        *needs("sagemaker", "UpdateModelPackage", {"ModelPackageArn": package}, PLACE),
        *needs("sagemaker", "DeleteEndpoint", {"EndpointName": "churn"}, PLACE),
        *needs("sagemaker", "UpdatePipeline", {"PipelineName": "other"}, PLACE),
        Request("s3:PutObject", "arn:aws:s3:::team-bucket/churn/packages/a"),
        Request("s3:PutObject", "arn:aws:s3:::team-bucket/churn/deployments/churn/a.json"),
    ]
    for name, service in (("deployer", "sagemaker"), ("jobs", "lambda")):
        role = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        attacks.append(
            Request("iam:PassRole", role, {"iam:PassedToService": f"{service}.amazonaws.com"})
        )
    assert denied(attacks, releasing(environment_of(project))) == attacks
