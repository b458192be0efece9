"""`ci apply`: make or update the stacks of the templates, each by the change set that was shown."""

from __future__ import annotations

import click

from pipelines.cli.options import yes_option
from pipelines.cli.printing import echo
from pipelines.cli.rollout import open_rollout
from pipelines.cli.stack_files import ChosenStacks, stack_options
from pipelines.cli.target import ask


@click.command("apply")
@stack_options
@yes_option
@click.option(
    "--timeout",
    "minutes",
    type=click.IntRange(1, 24 * 60),
    default=60,
    show_default=True,
    help="How many minutes to wait for one stack.",
)
def COMMAND(chosen: ChosenStacks, yes: bool, minutes: int) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Create or update the stacks, each by the change set that is shown.

    The first run also uploads the wheel of this tool, which the builds install.
    """
    rollout, elsewhere = open_rollout(chosen)
    rollout.apply(lambda effect: ask(effect, yes), float(minutes))
    steps = list(rollout.left_to_do(elsewhere))
    for step in steps:
        echo(f"left to do: {step}")
    if not steps:
        echo("everything is set up: a push runs the pipeline")
