"""`graph`: the DAG in the terminal or as a Mermaid diagram."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli import drawing
from pipelines.cli.options import format_option, report, request, spec_options
from pipelines.compile.driver import validate


@click.command("graph")
@spec_options
@format_option("text", "mermaid")
def COMMAND(file: Path, env: str | None, output_format: str) -> None:  # noqa: N802 - found by this name
    """Draw the steps and what they wait for."""
    checked = validate(request(file, env))
    report(checked, file, err=True, account=False)
    if checked.graph is not None:
        draw = drawing.mermaid if output_format == "mermaid" else drawing.tree
        click.echo(draw(checked.graph))
