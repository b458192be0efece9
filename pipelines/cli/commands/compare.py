"""`compare`: executions side by side."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import (
    ChosenSpec,
    GivenPath,
    format_option,
    local_option,
    spec_options,
    writing,
)
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.results import find_result, source_of
from pipelines.cli.scope import open_scope
from pipelines.cli.tables import columns
from pipelines.errors import UsageError
from pipelines.files import put
from pipelines.json_types import JsonObject
from pipelines.results.compare import Compared, Row, compare

_FEWEST = 2


@click.command("compare")
@spec_options
@local_option
@format_option("text", "json")
@click.option("--all", "shows_all", is_flag=True, help="Show what is the same, too.")
@click.option(
    "-o",
    "--output",
    "picture",
    type=GivenPath(),
    metavar="FILE.svg|FILE.png",
    help="Draw the metrics into a file.",
)
@click.argument("executions", nargs=-1, metavar="EXECUTION EXECUTION…")
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    shows_all: bool,  # noqa: FBT001 - click's flag
    picture: Path | None,
    executions: tuple[str, ...],
) -> None:
    """Compare executions: parameters, code, data, metrics, statuses and times.

    An EXECUTION is an id, `latest`, or `latest~1` for the one before it. Only what differs is
    shown; code by the names of the files that differ.
    """
    if len(executions) < _FEWEST:
        raise UsageError("`compare` needs two executions", "write `compare latest~1 latest`")
    with open_scope(chosen, local) as scope:
        runs = [find_result(scope, name) for name in executions]
        compared = compare(source_of(scope), runs)
    if picture is not None:
        _draw(compared, picture)
    rows = [row for row in compared.rows if shows_all or row.differs]
    if output_format == "json":
        echo_data(as_json(_document(compared, rows)))
    else:
        echo(_text(compared, rows))


def _header(compared: Compared) -> tuple[str, ...]:
    return ("", "", *(run.id for run in compared.runs))


def _text(compared: Compared, rows: list[Row]) -> str:
    if not rows:
        return "the executions are the same in everything that is compared"
    began = [run.began.astimezone().strftime("%Y-%m-%d %H:%M:%S") for run in compared.runs]
    status = [run.status for run in compared.runs]
    table = [("started", "", *began), ("ended as", "", *status)]
    table += [(row.section, row.name, *row.cells()) for row in rows]
    return columns(_header(compared), table)


def _document(compared: Compared, rows: list[Row]) -> JsonObject:
    return {
        "executions": [
            {"execution": run.arn, "status": run.status, "started": run.began}
            for run in compared.runs
        ],
        "rows": [
            {
                "section": row.section,
                "name": row.name,
                "values": list(row.values),
                "differs": row.differs,
            }
            for row in rows
        ],
    }


def _draw(compared: Compared, picture: Path) -> None:
    from pipelines.results.page.pictures import metrics_picture  # noqa: PLC0415 - only for `-o`

    match picture.suffix.lower():
        case ".svg":
            content = metrics_picture(compared).encode()
        case ".png":
            from pipelines.results.page.png import metrics_png  # noqa: PLC0415 - as above

            content = metrics_png(compared)
        case _:
            raise UsageError(
                f"{picture} is neither an SVG nor a PNG file",
                "name it with .svg or .png at its end",
            )
    with writing(picture):
        put(picture, content)
    echo(f"wrote {picture}", err=True)
