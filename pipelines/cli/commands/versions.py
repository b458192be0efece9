"""`versions`: what was deployed, by whom and when."""

from __future__ import annotations

import click

from pipelines.account.versions import PipelineVersion, versions
from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.tables import columns
from pipelines.cli.target import open_target
from pipelines.execution.identifiers import identifier


@click.command("versions")
@spec_options
@local_option
@format_option("text", "json")
@click.option(
    "--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many to list."
)
def COMMAND(  # noqa: N802 - found by this name
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    last: int,
) -> None:
    """List the versions of the deployed pipeline, the newest first."""
    with open_target(chosen, local) as target:
        found = versions(target.account, target.pipeline, last)
    if output_format == "json":
        rows = [
            {
                "version": version.number,
                "created": version.created,
                "by": version.who or None,
                "last_execution": version.last_execution,
            }
            for version in found
        ]
        echo_data(as_json(rows))
    else:
        echo(_table(found))


def _table(found: list[PipelineVersion]) -> str:
    rows = [
        (
            str(version.number),
            version.created.astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            version.who,
            identifier(version.last_execution) if version.last_execution else "",
        )
        for version in found
    ]
    return columns(("version", "deployed", "by", "last execution"), rows)
