"""`endpoints`: what is deployed, and what the deployer would do next; one module per command."""

from __future__ import annotations

import click

from pipelines.cli.endpoints import SeenDeployment, others, seen
from pipelines.cli.groups import CommandPackage
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.tables import columns
from pipelines.cli.target import CommandTarget, open_target
from pipelines.json_types import JsonObject


@click.command("endpoints", cls=CommandPackage, package=__name__, invoke_without_command=True)
@spec_options
@local_option
@format_option("text", "json")
@click.pass_context
def COMMAND(  # noqa: N802 - found by this name
    context: click.Context,
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
) -> None:
    """Show the endpoints of a spec: what is live, what waits, and what would be done next."""
    if context.invoked_subcommand is not None:
        _require_no_options(context)
        return
    with open_target(chosen, local) as target:
        found = seen(target)
        rest = [*others(target, {one.deployment.endpoint for one in found})]
    if output_format == "json":
        foreign = [{"endpoint": name, "status": status} for name, status in rest]
        echo_data(as_json([*map(as_object, found), *foreign]))
    else:
        echo(_table(target, found, rest))


def _require_no_options(context: click.Context) -> None:
    """Refuse options before the command's name, where they would have no effect."""
    source = click.core.ParameterSource.COMMANDLINE
    given = [
        option.opts[-1]
        for option in context.command.params
        if option.name and context.get_parameter_source(option.name) is source
    ]
    if given:
        word = context.invoked_subcommand
        context.fail(f"write {given[0]} after `{word}`: endpoints {word} {given[0]}")


def _table(target: CommandTarget, found: list[SeenDeployment], rest: list[tuple[str, str]]) -> str:
    if not found and not rest:
        return f"{target.chosen.file} has no deployment step"
    rows = [
        (one.deployment.name, one.status, one.mode, one.version, "; ".join(one.messages))
        for one in found
    ]
    rows += [(name, status, "", "", "not of this spec") for name, status in rest]
    return columns(("endpoint", "status", "mode", "version", "next"), rows)


def as_object(one: SeenDeployment) -> JsonObject:
    """Write a deployment for machines."""
    endpoint = one.state.endpoint
    return {
        "endpoint": one.deployment.name,
        "group": one.deployment.group,
        "status": one.status,
        "mode": one.mode,
        "version": one.live.number if one.live else None,
        "package": endpoint.package if endpoint else None,
        "config": endpoint.config if endpoint else None,
        "failure": endpoint.failure if endpoint else None,
        "next": {"action": one.decision.action, "messages": list(one.messages)},
    }
