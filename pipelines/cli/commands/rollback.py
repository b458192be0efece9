"""`rollback`: put an earlier definition back, as a new version."""

from __future__ import annotations

import click

from pipelines.account.apply import apply, is_current
from pipelines.account.rollback import plan_rollback
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.plan_text import plan_text
from pipelines.cli.printing import echo
from pipelines.cli.target import confirm, open_target


@click.command("rollback")
@spec_options
@local_option
@yes_option
@click.argument("version", type=click.IntRange(min=1))
def COMMAND(chosen: ChosenSpec, local: bool, yes: bool, version: int) -> None:  # noqa: N802, FBT001 - found by this name; click's flags
    """Put the definition of an earlier VERSION back, as a new version."""
    with open_target(chosen, local) as target:
        definitions = f"s3://{target.aws.bucket}/{target.pipeline}/definitions"
        plan = plan_rollback(target.account, target.pipeline, version, definitions, target.copy_of)
        if plan.is_empty:
            echo(f"{target.pipeline}: version {version} is already deployed: nothing to do")
            return
        echo(plan_text(plan, target.description))
        confirm(target, f"roll {target.pipeline} back to version {version}", yes)
        apply(target.account, plan, lambda: is_current(target.account, plan), lambda _: None)
    echo(f"{target.pipeline}: version {version} is deployed again, as a new version")
    echo(f"the next `pipelines upsert{target.flags}` deploys {chosen.file} again", err=True)
