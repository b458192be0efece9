"""`endpoints rollback`: reject what is live, so that the approved version below takes its place."""

from __future__ import annotations

import click

from pipelines.cli.approval import ApprovalDecision, carry_out
from pipelines.cli.endpoints import SeenDeployment, find_endpoint, look
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.target import open_target
from pipelines.errors import UsageError
from pipelines.programs.deploy.decide import UPDATE, Decision, decide
from pipelines.programs.deploy.model import package_version

_REJECTED = "Rejected"


@click.command("rollback")
@spec_options
@local_option
@yes_option
@click.option("--reason", help="Why; kept with the version.")
@click.argument("endpoint")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
    reason: str | None,
    endpoint: str,
) -> None:
    """Reject the version that is live; the approved one below it takes its place."""
    with open_target(chosen, local) as target:
        found = look(target, find_endpoint(target, endpoint))
        instead = _instead(found, target.flags)
        echo(f"{endpoint}: {instead.message}", err=True)
        why = reason or f"rolled back from the endpoint {endpoint}"
        carry_out(target, ApprovalDecision(found.version, _REJECTED, why, yes))


def _instead(found: SeenDeployment, flags: str) -> Decision:
    """Return what would be done after the rejection.

    Args:
        found: the deployment as it is.
        flags: those of this command, for another one that is named.

    Raises:
        UsageError: nothing of the group is live, or nothing could take its place.
    """
    name, live = found.deployment.endpoint, found.live
    if live is None:
        raise UsageError(
            f"{name} serves no version of {found.deployment.group}: there is nothing to roll back",
            f"see what it serves: python -m pipelines endpoints show{flags} {name}",
        )
    versions = tuple(
        one._replace(approval=_REJECTED) if one == live else one for one in found.state.versions
    )
    decision = decide(found.deployment, found.state._replace(versions=versions))
    if decision.action != UPDATE:
        raise UsageError(
            f"{found.version} stays: no other version of {found.deployment.group} is approved"
            f" and works on {name}",
            "approve an earlier version first, or delete the endpoint:"
            f" python -m pipelines endpoints delete{flags} {name}",
        )
    if package_version(decision.package) > live.number:
        number = package_version(decision.package)
        raise UsageError(
            f"{name} is about to be updated to {found.deployment.group}/{number}, which is newer",
            f"reject that one first: python -m pipelines reject{flags}"
            f" {found.deployment.group}/{number}",
        )
    return decision
