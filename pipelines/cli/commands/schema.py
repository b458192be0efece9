"""`schema`: the JSON schema of the spec, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli import scaffold
from pipelines.cli.options import GivenPath, writing
from pipelines.cli.printing import echo, echo_data
from pipelines.files import put


@click.command("schema")
@click.option(
    "-o",
    "output",
    type=GivenPath(dir_okay=False),
    help="Write it to this file, instead of printing it.",
)
def COMMAND(output: Path | None) -> None:  # noqa: N802 - found by this name
    """Print the JSON schema of pipeline.yaml.

    An editor with a YAML language server completes and checks keys by it where the spec begins
    with `# yaml-language-server: $schema=pipeline.schema.json`.
    """
    text = scaffold.schema().decode()
    if output is None:
        echo_data(text)
        return
    with writing(output):
        put(output, text.encode())
    echo(f"wrote {output}")
