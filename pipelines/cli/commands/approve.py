"""`approve`: a version may go live, and does."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.approval import Verdict, give
from pipelines.cli.options import local_option, spec_options, yes_option
from pipelines.cli.target import open_target


@click.command("approve")
@spec_options
@local_option
@yes_option
@click.option("--reason", help="Why; kept with the version.")
@click.argument("version", metavar="GROUP/N")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    file: Path,
    env: str | None,
    local: bool,  # noqa: FBT001 - click's flag
    yes: bool,  # noqa: FBT001 - click's flag
    reason: str | None,
    version: str,
) -> None:
    """Approve a registered version; the highest approved one goes live."""
    with open_target(file, env, local) as target:
        give(target, Verdict(version, "Approved", reason, yes))
