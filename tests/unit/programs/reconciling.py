"""A reconciliation that does not wait, and what it is told."""

from __future__ import annotations

from pipelines.programs.deploy.model import DeploymentOutcome, DeploymentTarget
from pipelines.programs.deploy.reconcile import Options, reconcile
from tests.unit.programs.deploy_account import Account, target

A, P, R = "Approved", "PendingManualApproval", "Rejected"
QUICK = Options(pause=0)
REALTIME = target(
    mode="realtime", variant={"InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
)


def deploy(
    account: Account, what: DeploymentTarget | None = None, options: Options = QUICK
) -> DeploymentOutcome:
    """Reconcile the endpoint of an account with its registry."""
    return reconcile(account.clients, what or target(), options)
