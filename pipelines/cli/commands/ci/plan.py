"""`ci plan`: show, by CloudFormation's own change sets, what `ci apply` would do."""

from __future__ import annotations

import json

import click

from pipelines.cli.options import format_option
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.rollout import open_rollout
from pipelines.cli.stack_files import ChosenStacks, stack_options
from pipelines.cli.stack_text import planned_json, planned_text
from pipelines.errors import ChangesPendingError


@click.command("plan")
@stack_options
@format_option("text", "json")
@click.option("--check", is_flag=True, help="Exit with 6 when there is something to do.")
def COMMAND(chosen: ChosenStacks, output_format: str, check: bool) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Show what `ci apply` would change in the account: resources, replacements, permissions."""
    rollout, elsewhere = open_rollout(chosen)
    found = []
    for planned in rollout.plan():
        found.append(planned)
        if output_format == "text":
            echo(planned_text(planned))
    steps = list(rollout.left_to_do(elsewhere))
    if output_format == "json":
        content = {"stacks": [planned_json(one) for one in found], "left_to_do": steps}
        echo_data(json.dumps(content, indent=2) + "\n")
    else:
        for step in steps:
            echo(f"left to do: {step}")
    if check and any(one.is_pending for one in found):
        raise ChangesPendingError("")
