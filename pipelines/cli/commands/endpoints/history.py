"""`endpoints history`: every attempt to deploy to an endpoint, and its outcome."""

from __future__ import annotations

import click

from pipelines.cli.endpoints import find_deployment, look, moment
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.tables import columns
from pipelines.cli.target import open_target
from pipelines.execution.identifiers import identifier
from pipelines.programs.deploy.model import DeploymentAttempt


@click.command("history")
@spec_options
@local_option
@format_option("text", "json")
@click.option(
    "--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many to list."
)
@click.argument("endpoint")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    last: int,
    endpoint: str,
) -> None:
    """List the deployments to an endpoint, the newest first: version, outcome and reason."""
    with open_target(chosen, local) as target:
        found = look(target, find_deployment(target, endpoint))
    newest = found.state.attempts[::-1][:last]
    if output_format == "json":
        echo_data(as_json([one._asdict() for one in newest]))
    elif not newest:
        echo(f"nothing was deployed to {endpoint} yet")
    else:
        echo(_table(found.deployment.group, newest))


def _table(group: str, attempts: tuple[DeploymentAttempt, ...]) -> str:
    rows = [
        (
            moment(one.started),
            _version(group, one.package),
            one.outcome,
            one.mode,
            identifier(one.execution) if one.execution else "",
            one.reason,
        )
        for one in attempts
    ]
    return columns(("when", "version", "outcome", "mode", "execution", "reason"), rows)


def _version(group: str, package: str) -> str:
    number = package.rpartition("/")[2]
    return f"{group}/{number}" if number.isdigit() else package
