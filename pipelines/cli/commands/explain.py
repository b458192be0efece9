"""`explain`: the long form of a diagnostic, or the keys of a kind."""

from __future__ import annotations

import re

import click

from pipelines.cli.printing import echo
from pipelines.diagnostics.codes import all_codes, explain
from pipelines.errors import UsageError

_CODE = re.compile(r"\s*(sp)?\d+\s*", re.IGNORECASE)


@click.command("explain")
@click.argument("what", required=False)
def COMMAND(what: str | None) -> None:  # noqa: N802 - found by this name
    """Explain a diagnostic, such as SP102, or a kind, such as training.

    `training.distribution` explains one key, `aws` or `schedule` a part of the file. Without an
    argument, list what there is.
    """
    if what is None:
        _list()
    elif _CODE.fullmatch(what):
        explanation = explain(what.upper())
        echo(f"{explanation.code}: {explanation.title}\n\n{explanation.text}")
    else:
        echo(_keys(what))


def _list() -> None:
    from pipelines.cli.explaining import sections  # noqa: PLC0415 - it imports the models

    for known in all_codes():
        echo(f"{known}  {explain(known).title}")
    echo(f"\nkinds and parts of the file: {', '.join(sections())}")


def _keys(what: str) -> str:
    from pipelines.cli.explaining import explain_keys, sections  # noqa: PLC0415 - as above

    text = explain_keys(what)
    if text is not None:
        return text
    from pipelines.diagnostics.nearest import nearest  # noqa: PLC0415 - only on a mistake

    first, _, rest = what.partition(".")
    close = nearest(first, sections()) or nearest(what.upper(), all_codes())
    known = f"a code such as SP102, or one of {', '.join(sections())}"
    advice = f"did you mean `{'.'.join(filter(None, (close, rest)))}`?" if close else known
    raise UsageError(f"there is nothing named `{what}` to explain", advice)
