"""`report`: one execution as one HTML page."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.opening import open_file, shown_place
from pipelines.cli.options import ChosenSpec, GivenPath, local_option, spec_options, writing
from pipelines.cli.printing import echo
from pipelines.cli.project import home_of
from pipelines.cli.results import find_result, source_of
from pipelines.cli.scope import open_scope
from pipelines.execution.identifiers import LATEST
from pipelines.files import put


@click.command("report")
@spec_options
@local_option
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
@click.option(
    "-o",
    "--output",
    "into",
    type=GivenPath(),
    metavar="FILE.html",
    help="Where to write it; otherwise .pipelines/reports/EXECUTION.html.",
)
@click.argument("execution", default=LATEST)
def COMMAND(  # noqa: N802 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    opens: bool,  # noqa: FBT001 - click's flag
    into: Path | None,
    execution: str,
) -> None:
    """Write one self-contained HTML page of an execution; it loads nothing from a network.

    Steps and times, metrics over the versions, validation results, pictures, parameters,
    fingerprints of data and code, and the last log lines of what failed. EXECUTION is an id,
    `latest`, or `latest~1` for the one before it.
    """
    from pipelines.results.page.page import execution_page  # noqa: PLC0415 - only for this

    with open_scope(chosen, local) as scope:
        run = find_result(scope, execution)
        content = execution_page(source_of(scope), run)
    target = into or home_of(chosen.file) / "reports" / f"{run.id}.html"
    with writing(target):
        put(target, content.encode())
    if opens:
        open_file(target)
    else:
        echo(shown_place(str(target)))
