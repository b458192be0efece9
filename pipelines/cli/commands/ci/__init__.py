"""`ci`: what an account needs so that a git push runs the pipeline; one module per command."""

from __future__ import annotations

import click

from pipelines.cli.groups import CommandPackage


@click.command("ci", cls=CommandPackage, package=__name__)
def COMMAND() -> None:  # noqa: N802 - found by this name
    """Set up an account so that a git push runs the pipeline and an approval deploys."""
