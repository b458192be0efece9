"""`prune`: remove code and data that no version of the pipeline and no model package names."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pipelines.account.objects import remove
from pipelines.account.prune import PruneScope, Unused, unused
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.definition.named import groups_of
from pipelines.diagnostics.sentences import counted
from pipelines.spec.names import pipelines_of

_SHOWN = 20
_LONGEST = 24 * 365 * 100  # hours; datetime ends with the year 1


@click.command("prune")
@spec_options
@local_option
@click.option(
    "--older-than",
    type=click.IntRange(0, _LONGEST),
    default=24,
    show_default=True,
    metavar="HOURS",
    help="Keep younger objects: an upsert may be under way.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be removed.")
@yes_option
def COMMAND(  # noqa: N802 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    older_than: int,
    dry_run: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Remove what upsert once uploaded and nothing refers to any more."""
    with open_target(chosen, local) as target:
        before = datetime.now(UTC) - timedelta(hours=older_than)
        found = unused(target.account, _scope(target), before)
        if not found:
            echo("nothing to remove: everything is in use, or too recent")
            return
        echo(_shown(found))
        if dry_run:
            return
        confirm(target, f"delete {counted(len(found), 'object')} from {target.aws.bucket}", yes)
        remove(target.account, target.aws.bucket, [entry.key for entry in found])
        echo(f"removed {counted(len(found), 'object')}")


def _scope(target: CommandTarget) -> PruneScope:
    compiled = target.compiled
    groups = groups_of(*compiled.definitions.values())
    pipelines = pipelines_of(
        compiled.pipeline
    )  # one that the spec has no more may still be started
    return PruneScope(target.aws.bucket, compiled.pipeline, pipelines, groups)


def _shown(found: list[Unused]) -> str:
    lines = [f"{size(entry.size):>10}  {entry.key}" for entry in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(f"            and {len(found) - _SHOWN} more")
    total = size(sum(entry.size for entry in found))
    return "\n".join([*lines, f"{total:>10}  in {counted(len(found), 'object')}"])


def size(count: int) -> str:
    """Write a number of bytes."""
    amount = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError(count)
