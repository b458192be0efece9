"""`validate`: find every mistake of a spec, or of a definition."""

from __future__ import annotations

import click

from pipelines.cli import definitions
from pipelines.cli.options import ChosenSpec, format_option, report, spec_options
from pipelines.cli.printing import echo
from pipelines.compile.driver import validate
from pipelines.definition import outline


@click.command("validate")
@spec_options
@format_option("text", "json", "github", "sarif")
def COMMAND(chosen: ChosenSpec, output_format: str) -> None:  # noqa: N802 - found by this name
    """Find every mistake of a spec, each with its place and what to write instead."""
    steps = _steps(chosen, output_format)
    if output_format == "text":
        counted = "1 step" if steps == 1 else f"{steps} steps"
        echo(f"{chosen.file}: ok ({counted})")


def _steps(chosen: ChosenSpec, output_format: str) -> int:
    """Check a file and print what is wrong with it; count its steps."""
    if definitions.is_definition(chosen):
        document = definitions.read_definition(chosen.file, output_format, err=False)
        return len(outline(document.data))
    checked = validate(chosen.request())
    report(checked, chosen.file, output_format, err=False)
    return len(checked.graph.nodes) if checked.graph else 0
