"""`deploy`: make the endpoints of a spec match their groups now."""

from __future__ import annotations

import click

from pipelines.cli.deployments import (
    Reconciled,
    reconcile_deployments,
    require_success,
    show_how_to_invoke,
)
from pipelines.cli.endpoints import find_deployment
from pipelines.cli.options import (
    ChosenSpec,
    format_option,
    local_option,
    spec_options,
    yes_option,
)
from pipelines.cli.printing import as_json, echo_data
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject
from pipelines.plan.deployments import deployments, every_deployment
from pipelines.programs.deploy.model import DeploymentTarget
from pipelines.programs.deploy.reconcile import Options


@click.command("deploy")
@spec_options
@local_option
@yes_option
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@click.option("--retry", metavar="GROUP/N", help="Retry a version that failed here.")
@format_option("text", "json")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
    dry_run: bool,  # noqa: FBT001 - click's flag
    retry: str | None,
    output_format: str,
    names: tuple[str, ...],
) -> None:
    """Make every endpoint of the spec serve the highest approved version of its group.

    With NAMEs, only these endpoints and batches; a batch that approvals do not start is named so.
    """
    group, number = _version(retry)
    with open_target(chosen, local) as target:
        affected = _affected(target, group, names)
        if not dry_run:
            listed = ", ".join(one.name for one in affected)
            confirm(target, f"make {listed} match the registry", yes)
        options = Options(dry_run=dry_run, retry=number)
        is_json = output_format == "json"
        reconciled = reconcile_deployments(target, affected, options, err=is_json)
        if is_json:
            echo_data(as_json([*map(_as_object, reconciled)]))
        if not dry_run:
            require_success(target, reconciled, number)
        if not dry_run and not is_json:
            show_how_to_invoke(target, reconciled)


def _affected(
    target: CommandTarget, group: str | None, names: tuple[str, ...]
) -> tuple[DeploymentTarget, ...]:
    """Choose the deployments: those that are named, else those that approvals start.

    Raises:
        UsageError: there is none, or none of a name.
    """
    if names:
        found = tuple(find_deployment(target, name) for name in names)
        return tuple(one for one in found if group is None or one.group == group)
    affected = deployments(target.compiled, group)
    if affected:
        return affected
    file, others = target.chosen.file, every_deployment(target.compiled)
    if others and group is None:
        named = ", ".join(one.name for one in others)
        raise UsageError(f"approvals start no deployment of {file}", f"name a batch: {named}")
    of = f" of the group {group}" if group else ""
    raise UsageError(f"{file} has no deployment step{of}", "add a step with `kind: deployment`")


def _as_object(one: Reconciled) -> JsonObject:
    """Write for machines what was done, or would be."""
    deployment, outcome = one.deployment, one.outcome
    return {
        "endpoint": deployment.name,
        "group": deployment.group,
        "mode": deployment.mode,
        "action": outcome.action,
        "package": outcome.package or None,
        "changed": outcome.changed,
        "live": outcome.live,
        "messages": list(outcome.messages),
        "failed": [{"version": number, "reason": reason} for number, reason in outcome.failed],
    }


def _version(given: str | None) -> tuple[str | None, int | None]:
    if given is None:
        return None, None
    group, _, number = given.rpartition("/")
    if not group or not number.isdigit():
        raise UsageError(f"`{given}` is not a model version", "write GROUP/NUMBER: flights/3")
    return group, int(number)
