"""`prune --local`: what it removes of `.pipelines`, shown with sizes, and what it keeps and why."""

from __future__ import annotations

import math
import os
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pipelines.cli.options import ChosenSpec
from pipelines.cli.printing import echo
from pipelines.cli.project import require_project
from pipelines.cli.sizes import size
from pipelines.cli.target import open_pruning
from pipelines.diagnostics.sentences import counted
from pipelines.errors import UsageError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.backends.local.pruning.prune import Prunable

_SHOWN = 20


@frozen
class LocalPruneRequest:
    """What `prune --local` is asked for.

    Args:
        chosen: the spec; only its folder counts.
        age: of what may be removed, where it is given.
        keep: how many of the newest executions of each pipeline stay, where it is given.
        dry_run: only show it.
        yes: whether `--yes` was given.
    """

    chosen: ChosenSpec
    age: timedelta | None
    keep: int | None
    dry_run: bool
    yes: bool


def prune_local(asked: LocalPruneRequest, default_age: timedelta) -> None:
    """Show what can be removed, and remove it.

    Raises:
        UsageError: executions would be removed, and `--yes` was not given.
    """
    from pipelines.backends.local.pruning.choosing import PruneRules  # noqa: PLC0415 - only for --local

    require_project(asked.chosen.file)
    now = datetime.now().astimezone()
    before = (now - asked.age).timestamp() if asked.age is not None else math.inf
    rules = PruneRules(
        before=before,
        keep=asked.keep or 0,
        executions=asked.age is not None or asked.keep is not None,
        unused_since=(now - (default_age if asked.age is None else asked.age)).timestamp(),
        folders_before=before,
    )
    with open_pruning(asked.chosen.file) as pruning:
        found = pruning.find(rules)
        removed = _sections(found)
        for listed, number in removed:
            echo(shown(listed, number))
        _show_kept(found)
        if not removed:
            echo("nothing to remove: everything is in use, or too recent")
        elif not asked.dry_run:
            if found.executions and not asked.yes:
                raise UsageError("this cannot be undone", "add --yes to delete it")
            pruning.remove(rules, found)
            echo(f"removed {' and '.join(number for _, number in removed)}")


def _sections(found: Prunable) -> list[tuple[list[tuple[str, int]], str]]:
    """Return what can be removed by what it is, each with its number in words."""
    jobs = [(str(one.path), one.size) for one in found.jobs]
    others = [(os.path.relpath(one.path), one.size) for one in found.others]
    sections = (
        ([*found.executions.values()], counted(len(found.executions), "execution")),
        (
            [*found.unfinished.values()],
            f"what is left of {counted(len(found.unfinished), 'execution')}",
        ),
        (jobs, f"{counted(len(jobs), 'folder')} of failed or debugged jobs"),
        (others, counted(len(others), "leftover")),
    )
    return [(listed, number) for listed, number in sections if listed]


def _show_kept(found: Prunable) -> None:
    """Count the executions that stay by why they do; those that others use name the users."""
    for why, number in Counter(found.kept.values()).most_common(_SHOWN):
        ids = [one for one, reason in found.kept.items() if reason == why]
        named = ", ".join(ids[:3]) + (", …" if number > 3 else "")
        echo(f"kept {counted(number, 'execution')} ({named}): {why}")


def shown(listed: Sequence[tuple[str, int]], number: str) -> str:
    """Write what is removed, each with its size, and the sum."""
    lines = [f"{size(count):>10}  {name}" for name, count in listed[:_SHOWN]]
    if len(listed) > _SHOWN:
        lines.append(f"            and {len(listed) - _SHOWN} more")
    total = size(sum(count for _, count in listed))
    return "\n".join([*lines, f"{total:>10}  in {number}"])
