"""`compile`: a spec → canonical definition JSON and bundles."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import ChosenSpec, GivenPath, report, spec_options, writing
from pipelines.cli.printing import echo, echo_data
from pipelines.compile.driver import compile_spec
from pipelines.compile.output import write


@click.command("compile")
@spec_options
@click.option(
    "-o",
    "--output",
    type=GivenPath(file_okay=False, allow_dash=True),
    help="Folder for the definition and the bundles; without it, or with -, the definition is"
    " printed.",
)
def COMMAND(chosen: ChosenSpec, output: Path | None) -> None:  # noqa: N802 - found by this name
    """Compile a spec into a SageMaker Pipeline definition: offline, the same bytes every time."""
    result = compile_spec(chosen.request())
    report(result.checked, chosen.file, err=True)
    compiled = result.compiled
    if compiled is None:
        return
    if output in (None, Path("-")):
        echo_data(compiled.definition)
        return
    with writing(output):
        for path in write(compiled, output, chosen.file.parent):
            echo(f"wrote {path}")
