"""`ci plan`: show, by CloudFormation's own change sets, what `ci apply` would do."""

from __future__ import annotations

import click

from pipelines.cli.printing import echo
from pipelines.cli.rollout import open_rollout
from pipelines.cli.stack_files import ChosenStacks, stack_options
from pipelines.errors import ChangesPendingError


@click.command("plan")
@stack_options
@click.option("--check", is_flag=True, help="Exit with 6 when there is something to do.")
def COMMAND(chosen: ChosenStacks, check: bool) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Show what `ci apply` would change in the account: resources, replacements, permissions."""
    rollout, elsewhere = open_rollout(chosen)
    pending = rollout.plan()
    for step in rollout.left_to_do(elsewhere):
        echo(f"left to do: {step}")
    if pending and check:
        raise ChangesPendingError("")
