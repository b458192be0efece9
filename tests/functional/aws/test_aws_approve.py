"""`approve` and `reject` against an account: the registry, then what makes endpoints follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.functional.aws.account import Account
from tests.functional.aws.command import Command
from tests.functional.aws.project import GROUP, edit

DEPLOYMENT = f"""\
  deploy:
    kind: deployment
    group: {GROUP}
    endpoint: churn
    serverless: {{}}

environments:
"""


@pytest.fixture
def deployed(account: Account, project: Path, pipelines: Command) -> Account:
    """Upsert a pipeline with a deployment, and register a version."""
    edit(project / "pipeline.yaml", "environments:\n", DEPLOYMENT)
    assert pipelines("upsert", "--yes").code == 0
    account.client("sagemaker").create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus="PendingManualApproval"
    )
    account.proxy.seen.clear()
    return account


def approval(account: Account) -> str:
    """Read the version's approval status."""
    arn = f"arn:aws:sagemaker:us-east-1:123456789012:model-package/{GROUP}/1"
    described = account.client("sagemaker").describe_model_package(ModelPackageName=arn)
    return str(described["ModelApprovalStatus"])


def test_an_approval_starts_the_pipeline_that_deploys(
    deployed: Account, pipelines: Command
) -> None:
    """Without a rule the command starts it: the deployer has the role that may, nobody else."""
    answer = pipelines("approve", f"{GROUP}/1", "--yes", "--reason", "fine")
    assert answer.code == 0, answer.err
    assert f"{GROUP}/1 is Approved" in answer.out
    assert "started churn-deploy" in answer.out
    assert "account 123456789012, region us-east-1" in answer.err
    assert deployed.proxy.changes() == ["UpdateModelPackage", "StartPipelineExecution"]
    assert approval(deployed) == "Approved"
    rejected = pipelines("reject", f"{GROUP}/1", "--yes")
    assert f"{GROUP}/1 is Rejected" in rejected.out


def test_a_reason_that_comes_late_is_kept(deployed: Account, pipelines: Command) -> None:
    """An approved version takes a reason still; the same reason again changes nothing."""
    assert pipelines("approve", f"{GROUP}/1", "--yes").code == 0
    for _ in range(2):
        assert pipelines("approve", f"{GROUP}/1", "--yes", "--reason", "audited").code == 0
    assert deployed.proxy.changes().count("UpdateModelPackage") == 2


def test_a_rule_that_is_there_is_left_to_it(deployed: Account, pipelines: Command) -> None:
    """With the rule that starts the deployer on approval, the registry is all that changes."""
    pipeline = deployed.pipeline("churn-deploy")["PipelineArn"]
    events = deployed.client("events")
    events.put_rule(Name="approvals", EventPattern='{"source": ["aws.sagemaker"]}')
    events.put_targets(Rule="approvals", Targets=[{"Id": "deploy", "Arn": pipeline}])
    deployed.proxy.seen.clear()
    answer = pipelines("approve", f"{GROUP}/1", "--yes")
    assert "an EventBridge rule starts churn-deploy" in answer.out
    assert deployed.proxy.changes() == ["UpdateModelPackage"]


def test_it_asks_and_needs_yes_where_nobody_can_be_asked(
    deployed: Account, pipelines: Command
) -> None:
    """Account, region and effect are shown before."""
    answer = pipelines("approve", f"{GROUP}/1")
    assert answer.code == 2
    assert f"set {GROUP}/1 from PendingManualApproval to Approved" in answer.err
    assert pipelines("approve", f"{GROUP}/1", typed="n\n").code == 2
    assert deployed.proxy.changes() == []
    assert pipelines("approve", f"{GROUP}/1", typed="y\n").code == 0
    assert approval(deployed) == "Approved"


def test_nothing_is_approved_that_nothing_would_deploy(
    account: Account, project: Path, pipelines: Command
) -> None:
    """A missing deployer is found before the registry is written to."""
    edit(project / "pipeline.yaml", "environments:\n", DEPLOYMENT)
    sagemaker = account.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=GROUP)
    sagemaker.create_model_package(
        ModelPackageGroupName=GROUP, ModelApprovalStatus="PendingManualApproval"
    )
    answer = pipelines("approve", f"{GROUP}/1", "--yes")
    assert answer.code == 2
    assert "the pipeline churn-deploy does not exist" in answer.err
    assert approval(account) == "PendingManualApproval"
