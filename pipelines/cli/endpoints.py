"""The deployments of a spec as they are now, seen with the deployer's own eyes.

What is live, what waits and what would be done next is read and decided by `programs.deploy`, so
that a command shows what the deployer acts on.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.cli.target import CommandTarget
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.plan.deployments import deployments
from pipelines.programs.deploy.decide import Decision, decide, newer
from pipelines.programs.deploy.model import (
    DeploymentTarget,
    EndpointState,
    ModelVersion,
)
from pipelines.programs.deploy.observe import SERVICES, Clients, observe

"""The services whose clients the deployer works with."""


@frozen
class SeenDeployment:
    """A deployment, the state that was found, and what the deployer would do next.

    Args:
        deployment: what the spec asks for.
        state: registry, endpoint and history.
        decision: what the deployer would do next.
    """

    deployment: DeploymentTarget
    state: EndpointState
    decision: Decision

    @property
    def live(self) -> ModelVersion | None:
        """The version that the endpoint serves; None where it serves none of the group."""
        endpoint = self.state.endpoint
        package = endpoint.package if endpoint is not None else None
        return next((one for one in self.state.versions if one.arn == package), None)

    @property
    def version(self) -> str:
        """`group/number` of what is live; empty where nothing of the group is."""
        return f"{self.deployment.group}/{self.live.number}" if self.live else ""

    @property
    def status(self) -> str:
        """The endpoint's status; `none` where there is no endpoint."""
        return self.state.endpoint.status if self.state.endpoint else "none"

    @property
    def mode(self) -> str:
        """The mode that it serves in; the spec's where nothing serves."""
        endpoint = self.state.endpoint
        return endpoint.mode if endpoint is not None else self.deployment.mode

    @property
    def messages(self) -> tuple[str, ...]:
        """What the deployer would do next, and which newer versions are not live, and why."""
        return (self.decision.message, *newer(self.deployment, self.state))


def seen(target: CommandTarget) -> list[SeenDeployment]:
    """Look at every deployment of a spec."""
    return [look(target, one) for one in deployments(target.compiled)]


def look(target: CommandTarget, deployment: DeploymentTarget) -> SeenDeployment:
    """Look at one deployment.

    Raises:
        CallRefusedError: something cannot be read.
    """
    with target.account.clients(*SERVICES) as clients:
        state = observe(Clients(*clients), deployment)
    return SeenDeployment(deployment, state, decide(deployment, state))


def find_deployment(target: CommandTarget, name: str) -> DeploymentTarget:
    """Find the deployment of an endpoint.

    Raises:
        UsageError: no deployment of the spec has that endpoint.
    """
    known = {one.endpoint: one for one in deployments(target.compiled)}
    if name in known:
        return known[name]
    close = nearest(name, known)
    names = f"its endpoints: {', '.join(known)}" if known else "add a step: `kind: deployment`"
    raise UsageError(
        f"no deployment of {target.chosen.file} has the endpoint `{name}`",
        f"did you mean `{close}`?" if close else names,
    )


def others(target: CommandTarget, known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield name and status of the local endpoints that no deployment of the spec has made."""
    if not target.is_local:
        return
    for one in target.account.pages("sagemaker", "list_endpoints", "Endpoints"):
        if one["EndpointName"] not in known:
            yield one["EndpointName"], one["EndpointStatus"]
