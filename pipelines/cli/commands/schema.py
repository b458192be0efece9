"""`schema`: the JSON schema of the spec, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli import scaffold
from pipelines.cli.options import GivenPath, writing
from pipelines.cli.printing import echo, echo_data


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
        output.write_text(text, encoding="utf-8")
    echo(f"wrote {output}")
