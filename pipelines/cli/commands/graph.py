"""`graph`: the DAG in the terminal or as a Mermaid diagram."""

from __future__ import annotations

import click

from pipelines.cli import definitions, drawing
from pipelines.cli.options import ChosenSpec, format_option, report, spec_options
from pipelines.cli.printing import echo
from pipelines.compile.driver import validate
from pipelines.definition import outline


@click.command("graph")
@spec_options
@format_option("text", "mermaid")
def COMMAND(chosen: ChosenSpec, output_format: str) -> None:  # noqa: N802 - found by this name
    """Draw the steps and what they wait for."""
    drawn = _drawing(chosen)
    if drawn is not None:
        draw = drawing.mermaid if output_format == "mermaid" else drawing.tree
        echo(draw(drawn))


def _drawing(chosen: ChosenSpec) -> drawing.Drawing | None:
    if definitions.is_definition(chosen):
        document = definitions.read_definition(chosen.file, "text", err=True)
        return drawing.of_definition(chosen.file.stem, outline(document.data))
    checked = validate(chosen.request())
    report(checked, chosen.file, err=True, account=False)
    return None if checked.graph is None else drawing.of_graph(checked.graph)
