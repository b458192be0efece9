"""`plan`: show what upsert would do."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

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

if TYPE_CHECKING:
    from pipelines.cli.costs import PlannedCost


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
            cost = next((one.document for one in _costs(plan, target)), None)
            written = plan_json(plan, target.where(), _quotas(target), _advice(target), cost)
            echo_data(f"{json.dumps(written, indent=2, ensure_ascii=False)}\n")
        case "markdown":
            quotas = () if plan.is_empty else _quotas(target)
            costs = () if plan.is_empty else (one.text for one in _costs(plan, target))
            titled = {"Quotas": quotas, "Cost": costs, "Advice": _advice(target)}
            echo_data(plan_markdown(plan, target.description, target.chosen.env, titled))
        case _:
            echo(plan_text(plan, target.description))
            for one in _costs(plan, target):
                echo(f"cost: {one.text}")
            for line in _quotas(target):
                echo(f"quota: {line}")
            for line in _advice(target):
                echo(f"advice, {line}")


def _costs(plan: Plan, target: CommandTarget) -> Iterator[PlannedCost]:
    """Yield what an account will bill; nothing for the local SageMaker."""
    from pipelines.cli.costs import planned_cost  # noqa: PLC0415 - only where a plan is shown

    if not target.is_local:
        live = plan.state.pipelines.get(plan.pipeline)
        before = None if live is None else live.document
        yield planned_cost(target.compiled, target.chosen.file, target.aws.region, before)


def _quotas(target: CommandTarget) -> Iterator[str]:
    """Yield the quotas that a pipeline needs of an account."""
    from pipelines.cli.capacity import quota_lines  # noqa: PLC0415 - only where a plan is shown

    if not target.is_local:
        yield from quota_lines(target.compiled, target.chosen.file, target.account)


def _advice(target: CommandTarget) -> Iterator[str]:
    """Yield what the latest execution of a pipeline suggests."""
    from pipelines.cli.capacity import last_advice  # noqa: PLC0415 - only where a plan is shown

    yield from last_advice(target.account, target.pipeline)
