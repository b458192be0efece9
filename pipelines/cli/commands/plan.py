"""`plan`: show what upsert would do."""

from __future__ import annotations

import json

import click

from pipelines.account.planning import make_plan
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.plan_json import plan_json
from pipelines.cli.plan_text import plan_text
from pipelines.cli.printing import echo, echo_data
from pipelines.cli.target import open_target
from pipelines.errors import ChangesPendingError


@click.command("plan")
@spec_options
@local_option
@click.option("--check", is_flag=True, help="Exit with 6 when there is something to do.")
@format_option("text", "json")
def COMMAND(chosen: ChosenSpec, local: bool, check: bool, output_format: str) -> None:  # noqa: N802, FBT001 - found by this name; click's flags
    """Show what upsert would change, and which steps will miss their cache."""
    with open_target(chosen, local) as target:
        plan = make_plan(target.account, target.spec, target.compiled)
        if output_format == "json":
            where = {
                "account": target.account.account_id(),
                "region": target.account.region,
                "local": target.is_local,
            }
            shown = json.dumps(plan_json(plan, where), indent=2, ensure_ascii=False)
            echo_data(f"{shown}\n")
        else:
            echo(plan_text(plan, target.description))
        if check and not plan.is_empty:
            raise ChangesPendingError("")
