"""`prune`: remove code and data that no version of the pipeline and no model package names.

Locally also what failed jobs have left.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pipelines.account.objects import remove
from pipelines.account.prune import PruneScope, unused
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.target import CommandTarget, confirm, kept_jobs, open_target
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
    """Remove what upsert once uploaded and nothing refers to any more.

    With --local also the folders of failed and debugged jobs, whatever their age.
    """
    with open_target(chosen, local) as target:
        before = datetime.now(UTC) - timedelta(hours=older_than)
        found = unused(target.account, _scope(target), before)
        jobs = kept_jobs(chosen.file) if local else None
        if not found and not jobs:
            echo("nothing to remove: everything is in use, or too recent")
            return
        objects = counted(len(found), "object")
        folders = f"{counted(len(jobs or ()), 'folder')} of failed or debugged jobs"
        if found:
            echo(_shown([(entry.key, entry.size) for entry in found], objects))
        if jobs:
            echo(_shown(jobs.sizes(), folders))
        if dry_run:
            return
        confirm(target, f"delete {objects} from {target.aws.bucket}", yes)
        remove(target.account, target.aws.bucket, [entry.key for entry in found])
        if jobs:
            jobs.remove()
        removed = ((found, objects), (jobs, folders))
        echo(f"removed {' and '.join(said for ones, said in removed if ones)}")


def _scope(target: CommandTarget) -> PruneScope:
    compiled = target.compiled
    groups = groups_of(*compiled.definitions.values())
    pipelines = pipelines_of(
        compiled.pipeline
    )  # one that the spec has no more may still be started
    return PruneScope(target.aws.bucket, compiled.pipeline, pipelines, groups)


def _shown(listed: list[tuple[str, int]], number: str) -> str:
    lines = [f"{size(count):>10}  {name}" for name, count in listed[:_SHOWN]]
    if len(listed) > _SHOWN:
        lines.append(f"            and {len(listed) - _SHOWN} more")
    total = size(sum(count for _, count in listed))
    return "\n".join([*lines, f"{total:>10}  in {number}"])


def size(count: int) -> str:
    """Write a number of bytes."""
    amount = float(count)
    for unit in ("B", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError(count)
