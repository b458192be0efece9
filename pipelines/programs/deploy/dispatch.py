"""A target → what makes it so: an endpoint, or the results of a batch."""

from __future__ import annotations

from pipelines.programs.deploy import modes
from pipelines.programs.deploy.model import DeploymentOutcome, DeploymentTarget
from pipelines.programs.deploy.observe import Clients
from pipelines.programs.deploy.reconcile import Options, reconcile
from pipelines.programs.deploy.transforming import reconcile_batch


def deploy(clients: Clients, target: DeploymentTarget, options: Options) -> DeploymentOutcome:
    """Make a target match its group, whatever its mode.

    Raises:
        DeployError: it cannot, for a reason that lies in no version.
        ClientError: AWS refused a call.
    """
    if modes.find(target.mode).is_batch:
        return reconcile_batch(clients, target, options)
    return reconcile(clients, target, options)
