"""`stop`: end a running execution."""

from __future__ import annotations

import click

from pipelines.cli.options import ChosenSpec, local_option, spec_options
from pipelines.cli.printing import echo
from pipelines.cli.scope import Scope, open_scope
from pipelines.errors import UsageError
from pipelines.execution.executions import executions, stop
from pipelines.execution.identifiers import identifier
from pipelines.execution.status import OPEN

_SEARCHED = 20


@click.command("stop")
@spec_options
@local_option
@click.argument("execution", required=False)
def COMMAND(chosen: ChosenSpec, local: bool, execution: str | None) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Stop an execution; without an id, the one that runs."""
    with open_scope(chosen, local) as scope:
        arn = _only_running(scope) if execution is None else _running(scope, execution)
        stop(scope.caller, arn)
    echo(f"execution {identifier(arn)} is being stopped")


def _running(scope: Scope, execution: str) -> str:
    described = scope.find(execution)
    status = described["PipelineExecutionStatus"]
    if status not in OPEN:
        raise UsageError(f"execution {identifier(described)} has ended as {status}")
    return str(described["PipelineExecutionArn"])


def _only_running(scope: Scope) -> str:
    latest = executions(scope.caller, scope.pipelines, _SEARCHED)
    running = [e for e in latest if e["PipelineExecutionStatus"] in OPEN]
    if not running:
        others = [e for e in scope.elsewhere() if e["PipelineExecutionStatus"] in OPEN]
        named = ", ".join(f"{identifier(e)} of {e['PipelineName']}" for e in others)
        raise UsageError("nothing is running", f"of other pipelines: {named}" if named else None)
    if len(running) > 1:
        named = ", ".join(identifier(e) for e in running)
        raise UsageError(f"{len(running)} executions are running: {named}", "name one of them")
    return str(running[0]["PipelineExecutionArn"])
