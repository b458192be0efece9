"""`explain`: the long form of a diagnostic."""

from __future__ import annotations

import click

from pipelines.cli.printing import echo
from pipelines.diagnostics.codes import all_codes, explain


@click.command("explain")
@click.argument("code", required=False)
def COMMAND(code: str | None) -> None:  # noqa: N802 - found by this name
    """Explain a diagnostic, such as SP102; without a code, list them all."""
    if code is None:
        for known in all_codes():
            echo(f"{known}  {explain(known).title}")
        return
    explanation = explain(code.upper())
    echo(f"{explanation.code}: {explanation.title}\n\n{explanation.text}")
