"""`plan`: show what upsert would do."""

from __future__ import annotations

import json
from pathlib import Path

import click

from pipelines.account.planning import make_plan
from pipelines.cli import plan_file
from pipelines.cli.options import ChosenSpec, GivenPath, format_option, local_option, spec_options
from pipelines.cli.plan_json import plan_json
from pipelines.cli.plan_markdown import plan_markdown
from pipelines.cli.plan_text import plan_text
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.target import CommandTarget, open_target
from pipelines.errors import ChangesPendingError
from pipelines.plan.model import Plan


@click.command("plan")
@spec_options
@local_option
@click.option("--check", is_flag=True, help="Exit with 6 when there is something to do.")
@click.option(
    "-o",
    "--output",
    type=GivenPath(),
    help="Write a plan file too, for `upsert --plan`.",
)
@format_option("text", "json", "markdown")
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    check: bool,  # noqa: FBT001 - click's flag
    output: Path | None,
    output_format: str,
) -> None:
    """Show what upsert would change, and which steps will miss their cache."""
    if output is not None:
        plan_file.require_place(output)
    with open_target(chosen, local) as target:
        plan = make_plan(target.account, target.spec, target.compiled)
        if output is not None:
            plan_file.save(output, plan, target)
        _show(plan, target, output_format)
        if output is not None:
            echo(f"wrote {output}", err=True)
        if check and not plan.is_empty:
            raise ChangesPendingError("")


def _show(plan: Plan, target: CommandTarget, output_format: str) -> None:
    match output_format:
        case "json":
            shown = json.dumps(plan_json(plan, target.where()), indent=2, ensure_ascii=False)
            echo_data(f"{shown}\n")
        case "markdown":
            echo_data(plan_markdown(plan, target.description, target.chosen.env))
        case _:
            echo(plan_text(plan, target.description))
            if not target.is_local:
                from pipelines.cli.costs import plan_line  # noqa: PLC0415 - only for people

                echo(plan_line(target.compiled, target.chosen.file, target.aws.region))
            _show_capacity(target)


def _show_capacity(target: CommandTarget) -> None:
    """Print the quotas that a pipeline needs, and what its latest execution suggests."""
    from pipelines.cli.capacity import last_advice, quota_lines  # noqa: PLC0415 - only for people

    if not target.is_local:
        for line in quota_lines(target.compiled, target.chosen.file, target.account):
            echo(line)
    for line in last_advice(target.account, target.pipeline):
        echo(line)
