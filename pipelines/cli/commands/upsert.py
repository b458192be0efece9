"""`upsert`: show the plan, ask, and carry out exactly that."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from pipelines.account.apply import apply, is_current
from pipelines.account.planning import make_plan
from pipelines.cli.options import ChosenSpec, GivenPath, local_option, spec_options, yes_option
from pipelines.cli.plan_file import PlanFile
from pipelines.cli.plan_text import plan_text
from pipelines.cli.printing import echo
from pipelines.cli.target import confirm, open_target
from pipelines.cli.uploads import uploading
from pipelines.errors import UsageError
from pipelines.plan.model import Plan


@click.command("upsert")
@spec_options
@local_option
@yes_option
@click.option(
    "--take-over",
    is_flag=True,
    help="Replace a pipeline of this name that was not created from this spec.",
)
@click.option(
    "--plan",
    "plan_path",
    type=GivenPath(),
    metavar="FILE",
    help="Carry out the plan that `plan -o FILE` wrote, and nothing else; asks nothing.",
)
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
    take_over: bool,  # noqa: FBT001 - click's flag
    plan_path: Path | None,
) -> None:
    """Create or update the pipeline, by the plan that is shown."""
    reviewed = None if plan_path is None else PlanFile(plan_path)
    if reviewed is not None:
        reviewed.require_chosen(chosen, local=local)
    with open_target(chosen, local) as target:
        if reviewed is not None:
            reviewed.require_target(target)
        plan = make_plan(target.account, target.spec, target.compiled)
        if reviewed is not None and not reviewed.is_carried_out(plan, target):
            reviewed.require_current(plan, target)
        echo(plan_text(plan, target.description))
        if plan.is_empty:
            return
        if not take_over and not local:
            _ask_for_foreign(plan)
        confirm(target, f"upsert {plan.pipeline}", yes or reviewed is not None)
        count = sum(len(upload.objects) for upload in plan.uploads)
        with uploading(sys.stderr, count) as done:
            apply(target.account, plan, lambda: is_current(target.account, plan), done)
        echo(f"{plan.pipeline} is deployed")


def _ask_for_foreign(plan: Plan) -> None:
    """Ask before a pipeline is replaced that was not made from this spec.

    Raises:
        UsageError: the answer was no, or there is no terminal to ask for confirmation.
    """
    foreign = [pipeline.name for pipeline in plan.pipelines if pipeline.foreign]
    if not foreign:
        return
    problem = f"the pipeline {foreign[0]} was not created from this spec"
    if not sys.stdin.isatty():
        raise UsageError(problem, "give yours another name, or add --take-over to replace it")
    echo(problem, err=True)
    if not click.confirm("Replace it?", err=True):
        raise UsageError("nothing was changed", "give your pipeline another name")
