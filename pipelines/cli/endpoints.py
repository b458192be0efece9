"""The deployments of a spec as they are now, seen with the deployer's own eyes.

What is live, what waits and what would be done next is read and decided by `programs.deploy`, so
that a command shows what the deployer acts on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from pipelines.cli.target import CommandTarget
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.plan.deployments import every_deployment
from pipelines.programs.deploy.batch import decide_batch
from pipelines.programs.deploy.decide import REFUSE, Decision, decide, newer
from pipelines.programs.deploy.model import (
    DeployError,
    DeploymentTarget,
    EndpointState,
    ModelVersion,
)
from pipelines.programs.deploy.observe import SERVICES, Clients, observe
from pipelines.programs.deploy.transforming import jobs_of, observe_batch, observe_registry

TIME = "%Y-%m-%d %H:%M:%S"


@frozen
class SeenDeployment:
    """A deployment, the state that was found, and what the deployer would do next.

    Args:
        deployment: what the spec asks for.
        state: registry, endpoint and history.
        decision: what the deployer would do next.
        job: of a batch, the status of its newest transform job; `none` where it has none.
    """

    deployment: DeploymentTarget
    state: EndpointState
    decision: Decision
    job: str = ""

    @property
    def live(self) -> ModelVersion | None:
        """The version that is served, or whose results are there; None where it is none."""
        endpoint = self.state.endpoint
        package = endpoint.package if endpoint is not None else None
        if self.deployment.batch and self.state.attempts:
            package = self.state.attempts[-1].package
        return next((one for one in self.state.versions if one.arn == package), None)

    @property
    def version(self) -> str:
        """`group/number` of what is live; empty where nothing of the group is."""
        return f"{self.deployment.group}/{self.live.number}" if self.live else ""

    @property
    def status(self) -> str:
        """The endpoint's status; `none` where there is no endpoint."""
        if self.deployment.batch:
            return self.job
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
    return [look(target, one) for one in every_deployment(target.compiled)]


def look(target: CommandTarget, deployment: DeploymentTarget) -> SeenDeployment:
    """Look at one deployment.

    Raises:
        CallRefusedError: something cannot be read.
    """
    with target.account.clients(*SERVICES) as clients:
        if deployment.batch:
            return _look_at_batch(Clients(*clients), deployment)
        state = observe(Clients(*clients), deployment)
    return SeenDeployment(deployment, state, decide(deployment, state))


def _look_at_batch(clients: Clients, deployment: DeploymentTarget) -> SeenDeployment:
    jobs = jobs_of(clients, deployment)
    status = jobs[-1].status if jobs else "none"
    try:
        state = observe_batch(clients, deployment)
    except DeployError as error:  # there is nothing to process
        registry = observe_registry(clients, deployment)
        return SeenDeployment(deployment, registry, Decision(REFUSE, str(error)), status)
    return SeenDeployment(deployment, state.registry, decide_batch(deployment, state), status)


def find_deployment(target: CommandTarget, name: str) -> DeploymentTarget:
    """Find a deployment by its endpoint, or a batch by its step or its full name.

    Raises:
        UsageError: there is none of that name.
    """
    found = every_deployment(target.compiled)
    known = {one.endpoint: one for one in found}
    batches = {one.name: one for one in found if one.batch}
    chosen = known.get(name) or batches.get(name)
    if chosen is not None:
        return chosen
    names = [one.name for one in found]
    close = nearest(name, names)
    listed = f"its deployments: {', '.join(names)}" if names else "add a step: `kind: deployment`"
    raise UsageError(
        f"no deployment of {target.chosen.file} has the name `{name}`",
        f"did you mean `{close}`?" if close else listed,
    )


def find_endpoint(target: CommandTarget, name: str) -> DeploymentTarget:
    """Find the deployment of an endpoint.

    Raises:
        UsageError: there is none of that name, or it is a batch.
    """
    found = find_deployment(target, name)
    if found.batch:
        raise UsageError(
            f"`{name}` is a batch: it has no endpoint",
            f"see what it does: python -m pipelines endpoints show{target.flags} {name}",
        )
    return found


def moment(started: str) -> str:
    """Write the time of an attempt as people read it; one that somebody else wrote, as it is."""
    try:
        read = datetime.strptime(started, "%Y%m%dT%H%M%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return started
    return read.astimezone().strftime(TIME)


def others(target: CommandTarget, known: set[str]) -> Iterator[tuple[str, str]]:
    """Yield name and status of the local endpoints that no deployment of the spec has made."""
    if not target.is_local:
        return
    for one in target.account.pages("sagemaker", "list_endpoints", "Endpoints"):
        if one["EndpointName"] not in known:
            yield one["EndpointName"], one["EndpointStatus"]
