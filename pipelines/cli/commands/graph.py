"""`graph`: the DAG in the terminal, as a Mermaid diagram or as SVG."""

from __future__ import annotations

import click

from pipelines.cli import definitions, drawing
from pipelines.cli.options import ChosenSpec, format_option, report, spec_options
from pipelines.cli.printing import echo
from pipelines.compile.driver import validate
from pipelines.definition import outline

_DRAW = {"text": drawing.tree, "mermaid": drawing.mermaid, "svg": drawing.svg}


@click.command("graph")
@spec_options
@format_option("text", "mermaid", "svg")
def COMMAND(chosen: ChosenSpec, output_format: str) -> None:  # noqa: N802 - found by this name
    """Draw the steps and what they wait for."""
    drawn = _drawing(chosen)
    if drawn is not None:
        echo(_DRAW[output_format](drawn))


def _drawing(chosen: ChosenSpec) -> drawing.Drawing | None:
    if definitions.is_definition(chosen):
        document = definitions.read_definition(chosen.file, "text", err=True)
        return drawing.of_definition(chosen.file.stem, outline(document.data))
    checked = validate(chosen.request())
    report(checked, chosen.file, err=True, account=False)
    return None if checked.graph is None else drawing.of_graph(checked.graph)
