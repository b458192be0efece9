"""`endpoints delete`: one endpoint, with the configurations and models that were made for it."""

from __future__ import annotations

import click

from pipelines.account.destroy import destroy
from pipelines.account.resources import SpecResources, made_for_endpoint
from pipelines.cli.commands.destroy import named_resource
from pipelines.cli.endpoints import find_endpoint, look
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.diagnostics.sentences import counted
from pipelines.errors import UsageError
from pipelines.programs.deploy.model import package_version


@click.command("delete")
@spec_options
@local_option
@yes_option
@click.argument("endpoint")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
    endpoint: str,
) -> None:
    """Delete an endpoint with its configurations and models; versions and history stay."""
    with open_target(chosen, local) as target:
        find_endpoint(target, endpoint)
        named = SpecResources(target.pipeline, (), (endpoint,), copy_of=target.copy_of)
        found = made_for_endpoint(target.account, named, endpoint)
        for resource in found.foreign:
            raise UsageError(
                f"the endpoint {resource.name} was not created by this tool for this pipeline",
                f"delete it by hand if it is yours: aws sagemaker delete-endpoint "
                f"--endpoint-name {resource.name}",
            )
        if not found.to_delete:
            echo("nothing to delete")
            return
        for resource in found.to_delete:
            echo(f"  delete {named_resource(resource)}")
        confirm(target, f"delete {counted(len(found.to_delete), 'resource')}", yes)
        destroy(
            target.account,
            found.to_delete,
            lambda resource: echo(f"deleted {named_resource(resource)}"),
        )
        _say_what_recreates(target, endpoint)


def _say_what_recreates(target: CommandTarget, endpoint: str) -> None:
    """Say that the next deployment would create it again, where an approved version is there."""
    found = look(target, find_endpoint(target, endpoint))
    if found.decision.package:
        number = package_version(found.decision.package)
        version = f"{found.deployment.group}/{number}"
        echo(
            f"the next deployment creates it again, as {version} is approved:"
            " reject that version, or remove the step, to prevent it",
            err=True,
        )
