"""`prune`: remove code and data that no version of the pipeline and no model package names.

Locally also executions, what failed jobs have left, and what can be made again.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click

from pipelines.account.objects import remove
from pipelines.account.prune import PruneScope, unused
from pipelines.cli.options import ChosenSpec, local_option, spec_options, yes_option
from pipelines.cli.printing import echo
from pipelines.cli.pruning import LocalPruneRequest, prune_local, shown
from pipelines.cli.target import CommandTarget, confirm, open_target
from pipelines.definition.named import groups_of
from pipelines.diagnostics.sentences import counted
from pipelines.errors import UsageError
from pipelines.grammar.durations import meant, parse_iso, parse_short
from pipelines.graph.resources import pipelines_made

_LONGEST = timedelta(days=365 * 100)  # datetime ends with the year 1
_AGE = timedelta(hours=24)


def _age(_: click.Context, __: click.Parameter, text: str | None) -> timedelta | None:
    """Read a duration, as the spec has it in `cache:`."""
    if text is None:
        return None
    found = parse_short(text) or parse_iso(text)
    if found is None:
        close = meant(text) or (f"{text}h" if text.isdigit() else "30d")
        raise UsageError(
            f"`--older-than {text}` is not a duration",
            f"write it like {close}; 12h and P30D are taken, too",
        )
    if found.seconds > _LONGEST.total_seconds():
        raise UsageError(f"`--older-than {text}` is more than 100 years", "write a shorter one")
    return timedelta(seconds=found.seconds)


@click.command("prune")
@spec_options
@local_option
@click.option(
    "--older-than",
    "age",
    callback=_age,
    metavar="AGE",
    help="Keep what is younger: 30d, 12h, P30D; of what nothing names, 24h if not given.",
)
@click.option(
    "--keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --local: keep the newest N executions of each pipeline.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be removed.")
@yes_option
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    age: timedelta | None,
    keep: int | None,
    dry_run: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
) -> None:
    """Remove what upsert once uploaded and nothing refers to any more.

    With --local also the folders of failed and debugged jobs, whatever their age, and environments
    and samples that were not used lately; with --older-than or --keep executions, too, but never
    one that a registered version, an endpoint or a kept execution needs.
    """
    if local:
        prune_local(LocalPruneRequest(chosen, age, keep, dry_run, yes), _AGE)
        return
    if keep is not None:
        raise UsageError("`--keep` is about executions on this machine", "add --local")
    with open_target(chosen, local) as target:
        found = unused(
            target.account, _scope(target), datetime.now(UTC) - (_AGE if age is None else age)
        )
        if not found:
            echo("nothing to remove: everything is in use, or too recent")
            return
        objects = counted(len(found), "object")
        echo(shown([(entry.key, entry.size) for entry in found], objects))
        if dry_run:
            return
        confirm(target, f"delete {objects} from {target.aws.bucket}", yes)
        remove(target.account, target.aws.bucket, [entry.key for entry in found])
        echo(f"removed {objects}")


def _scope(target: CommandTarget) -> PruneScope:
    compiled = target.compiled
    groups = groups_of(*compiled.definitions.values())
    pipelines = pipelines_made(target.spec)  # the deployer may be there, though the spec has none
    return PruneScope(target.aws.bucket, compiled.pipeline, pipelines, groups)
