"""`graph`: the DAG in the terminal or as a Mermaid diagram."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli import definitions, drawing
from pipelines.cli.options import format_option, report, request, spec_options
from pipelines.cli.printing import echo
from pipelines.compile.driver import validate
from pipelines.definition import outline


@click.command("graph")
@spec_options
@format_option("text", "mermaid")
def COMMAND(file: Path, env: str | None, output_format: str) -> None:  # noqa: N802 - found by this name
    """Draw the steps and what they wait for."""
    drawn = _drawing(file, env)
    if drawn is not None:
        draw = drawing.mermaid if output_format == "mermaid" else drawing.tree
        echo(draw(drawn))


def _drawing(file: Path, env: str | None) -> drawing.Drawing | None:
    if definitions.is_definition(file, env):
        document = definitions.read_definition(file, "text", err=True)
        return drawing.of_definition(file.stem, outline(document.data))
    checked = validate(request(file, env))
    report(checked, file, err=True, account=False)
    return None if checked.graph is None else drawing.of_graph(checked.graph)
