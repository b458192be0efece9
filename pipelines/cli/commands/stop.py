"""`stop`: end a running execution."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.looking import Place, looking
from pipelines.cli.options import local_option, spec_options
from pipelines.errors import UsageError
from pipelines.execution.executions import executions, find, identifier, stop
from pipelines.execution.status import OPEN

_SEARCHED = 20


@click.command("stop")
@spec_options
@local_option
@click.argument("execution", required=False)
def COMMAND(file: Path, env: str | None, local: bool, execution: str | None) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Stop an execution; without an id, the one that runs."""
    with looking(file, env, local) as place:
        arn = _only_running(place) if execution is None else _running(place, execution)
        stop(place.caller, arn)
    click.echo(f"execution {identifier(arn)} is being stopped")


def _running(place: Place, execution: str) -> str:
    described = find(place.caller, place.pipelines, execution)
    status = described["PipelineExecutionStatus"]
    if status not in OPEN:
        raise UsageError(f"execution {identifier(described)} has ended as {status}")
    return str(described["PipelineExecutionArn"])


def _only_running(place: Place) -> str:
    latest = executions(place.caller, place.pipelines, _SEARCHED)
    running = [e for e in latest if e["PipelineExecutionStatus"] in OPEN]
    if not running:
        raise UsageError("nothing is running")
    if len(running) > 1:
        named = ", ".join(identifier(e) for e in running)
        raise UsageError(f"{len(running)} executions are running: {named}", "name one of them")
    return str(running[0]["PipelineExecutionArn"])
