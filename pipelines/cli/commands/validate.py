"""`validate`: find every mistake of a spec."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import format_option, report, request, spec_options
from pipelines.compile.driver import validate


@click.command("validate")
@spec_options
@format_option("text", "json", "github", "sarif")
def COMMAND(file: Path, env: str | None, output_format: str) -> None:  # noqa: N802 - found by this name
    """Find every mistake of a spec, each with its place and what to write instead."""
    checked = validate(request(file, env))
    report(checked, file, output_format, err=False)
    if output_format == "text":
        steps = len(checked.graph.nodes) if checked.graph else 0
        click.echo(f"{file}: ok ({steps} steps)")
