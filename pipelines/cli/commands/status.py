"""`status`: executions, or the steps of one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import click

from pipelines.cli.options import ChosenSpec, format_option, local_option, spec_options
from pipelines.cli.printing import as_json, echo, echo_data
from pipelines.cli.progress.words import duration
from pipelines.cli.scope import Scope, open_scope
from pipelines.cli.tables import columns
from pipelines.execution.executions import executions, steps
from pipelines.execution.failure import headline, remarks
from pipelines.execution.identifiers import LATEST, identifier
from pipelines.json_types import JsonObject

_DESCRIPTION = "PipelineExecutionDescription"
_SELECTION = "SelectiveExecutionConfig"


@click.command("status")
@spec_options
@local_option
@format_option("text", "json")
@click.option("--follow", is_flag=True, help="Follow it until it ends; without an id, the latest.")
@click.option(
    "--last", type=click.IntRange(min=1), default=20, show_default=True, help="How many to list."
)
@click.argument("execution", required=False)
def COMMAND(  # noqa: N802, PLR0913, PLR0917 - found by this name; click gives one argument per option
    chosen: ChosenSpec,
    local: bool,  # noqa: FBT001 - click's flag
    output_format: str,
    follow: bool,  # noqa: FBT001 - click's flag
    last: int,
    execution: str | None,
) -> None:
    """Show the executions; with an id (or `latest`), the steps of one."""
    with open_scope(chosen, local) as scope:
        if follow:
            _follow(scope, execution or LATEST)
            return
        if execution is None:
            rows = executions(scope.caller, scope.pipelines, last)
            shown = _executions(rows, scope)
        else:
            described = scope.find(execution)
            rows = steps(scope.caller, described["PipelineExecutionArn"])
            find = f"pipelines outputs{scope.flags} {identifier(described)}"
            found = "".join(f"\n{text}\n" for text in _experiments(scope, rows))
            one = _one(described, rows, scope)
            cost = "" if scope.account is None else f"{_cost(scope, described, chosen)}\n"
            told = _instances(scope, described, rows)
            shown = f"{one}\n{found}{told}{cost}outputs, reports and metrics: {find}"
    if output_format == "json":
        echo_data(as_json(rows))
    else:
        echo(shown)


def _experiments(scope: Scope, steps: list[JsonObject]) -> Iterator[str]:
    """Write the experiments that are done; looked for only where a job may have chosen."""
    if any("ProcessingJob" in (step.get("Metadata") or {}) for step in steps):
        from pipelines.cli.experiments import experiment_text  # noqa: PLC0415 - seldom needed
        from pipelines.cli.results import source_of  # noqa: PLC0415
        from pipelines.results.experiments import experiments_listed  # noqa: PLC0415

        yield from map(experiment_text, experiments_listed(source_of(scope), steps))


def _cost(scope: Scope, described: JsonObject, chosen: ChosenSpec) -> str:
    """Return in one line what an execution in an account has cost."""
    from pipelines.cli.costs import status_line  # noqa: PLC0415 - not for the local SageMaker
    from pipelines.cli.results import source_of  # noqa: PLC0415
    from pipelines.results.run import ExecutionResult, read_execution  # noqa: PLC0415

    region = "" if scope.account is None else scope.account.region

    def read_run() -> ExecutionResult:
        return read_execution(source_of(scope), described)

    return status_line(read_run, chosen.file, region, scope.caller)


def _instances(scope: Scope, described: JsonObject, rows: list[JsonObject]) -> str:
    """Write which instances the jobs of an execution got, and what to change for the next one."""
    from pipelines.advice.reading import advice_on  # noqa: PLC0415 - for one execution alone
    from pipelines.cli.capacity import selected_lines  # noqa: PLC0415 - as above

    arn = str(described["PipelineExecutionArn"])
    selected = [*selected_lines(scope.caller, arn, rows)]
    advised = [f"advice: {line}" for line in advice_on(scope.caller, rows)]
    return "".join(f"{line}\n" for line in (*selected, *advised))


def _follow(scope: Scope, execution: str) -> None:
    from pipelines.cli.follow import show  # noqa: PLC0415 - the views are for this alone

    described = scope.find(execution)
    show(scope.caller, described["PipelineExecutionArn"], scope.flags)


def _executions(rows: list[JsonObject], scope: Scope) -> str:
    if not rows:
        begin = scope.how_to_begin
        return "\n".join((f"no executions yet: {begin}", *_elsewhere(scope)))
    described = any(_DESCRIPTION in row for row in rows)
    table = [
        (
            identifier(row),
            row["PipelineName"],
            _status(row, scope),
            row["StartTime"].astimezone().strftime("%Y-%m-%d %H:%M:%S"),
            *((row.get(_DESCRIPTION, ""),) if described else ()),
        )
        for row in rows
    ]
    header = ("execution", "pipeline", "status", "started", *(("",) if described else ()))
    return "\n".join((columns(header, table), *_elsewhere(scope)))


def _elsewhere(scope: Scope) -> Iterator[str]:
    """Name the pipelines of other specs, and of foreign definitions, that were run here too."""
    for latest in scope.elsewhere():
        name = latest["PipelineName"]
        yield f"not listed: the pipeline {name}, its latest execution is {identifier(latest)}"


def _status(execution: JsonObject, scope: Scope) -> str:
    """Word a status; an execution that nobody runs any more keeps the last one it had."""
    status = str(execution["PipelineExecutionStatus"])
    gone = scope.is_interrupted(execution["PipelineExecutionArn"])
    return f"{status}, interrupted" if gone else status


def _one(described: JsonObject, steps: list[JsonObject], scope: Scope) -> str:
    title = f"{identifier(described)}: {_status(described, scope)}"
    if scope.is_interrupted(described["PipelineExecutionArn"]):
        begin = f"pipelines run{scope.flags.removesuffix(' --local')}"
        title += f": resume it with `{begin} --resume {identifier(described)}`"
    reason = _own_reason(described, steps)
    title += f"\n{described[_DESCRIPTION]}" if _DESCRIPTION in described else ""
    if _SELECTION in described:
        selected = described[_SELECTION]["SelectedSteps"]
        title += f"\nselected: {', '.join(one['StepName'] for one in selected)}"
    head = f"{title}\n{reason}\n" if reason else f"{title}\n"
    table = [(step["StepName"], step["StepStatus"], _seconds(step), _note(step)) for step in steps]
    remarked = [
        f"{step['StepName']}: {text}"
        for step in steps
        for text in remarks(step.get("FailureReason"))
    ]
    return "\n".join((f"{head}\n{columns(('step', 'status', 'time', ''), table)}", *remarked))


def _own_reason(described: JsonObject, steps: list[JsonObject]) -> str:
    """Return why an execution failed, where that is not the reason of a step that is shown."""
    if any(step.get("FailureReason") for step in steps):
        return ""
    return headline(described.get("FailureReason"))


def _seconds(step: JsonObject) -> str:
    began, ended = step.get("StartTime"), step.get("EndTime")
    if not isinstance(began, datetime) or not isinstance(ended, datetime):
        return ""
    return duration((ended - began).total_seconds())


def _note(step: JsonObject) -> str:
    for member, word in (("CacheHitResult", "cached from"), ("SelectiveExecutionResult", "from")):
        if member in step:
            return f"{word} {identifier(str(step[member]['SourcePipelineExecutionArn']))}"
    return headline(step.get("FailureReason"))
