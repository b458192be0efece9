"""`status`: executions, or the steps of one."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from pipelines.cli.local import executions, find_execution, identifier, open_sagemaker, pages
from pipelines.cli.options import file_option, format_option, local_option, require_local
from pipelines.cli.progress.words import duration
from pipelines.cli.tables import columns
from pipelines.json_types import JsonObject


@click.command("status")
@file_option
@local_option
@format_option("text", "json")
@click.argument("execution", required=False)
def COMMAND(file: Path, local: bool, output_format: str, execution: str | None) -> None:  # noqa: N802, FBT001 - found by this name; click's flag
    """Show the executions; with an id (or `latest`), the steps of one."""
    require_local(local, "status")
    with open_sagemaker(file) as sagemaker:
        if execution is None:
            rows = executions(sagemaker)
            shown = _executions(rows)
        else:
            summary = find_execution(sagemaker, execution)
            arn = {"PipelineExecutionArn": summary["PipelineExecutionArn"]}
            described = sagemaker.describe_pipeline_execution(**arn)
            operation = sagemaker.list_pipeline_execution_steps
            rows = pages(operation, "PipelineExecutionSteps", **arn, SortOrder="Ascending")
            shown = _one(described, rows)
    if output_format == "json":
        click.echo(json.dumps(rows, indent=2, default=str))
    else:
        click.echo(shown)


def _executions(rows: list[JsonObject]) -> str:
    if not rows:
        return "no executions yet: python -m pipelines run"
    table = [
        (
            identifier(row),
            row["PipelineName"],
            row["PipelineExecutionStatus"],
            row["StartTime"].astimezone().strftime("%Y-%m-%d %H:%M:%S"),
        )
        for row in rows
    ]
    return columns(("execution", "pipeline", "status", "started"), table)


def _one(described: JsonObject, steps: list[JsonObject]) -> str:
    title = f"{identifier(described)}: {described['PipelineExecutionStatus']}"
    reason = str(described.get("FailureReason", "")).partition("\n")[0]
    head = f"{title}\n{reason}\n" if reason else f"{title}\n"
    table = [(step["StepName"], step["StepStatus"], _seconds(step), _note(step)) for step in steps]
    return f"{head}\n{columns(('step', 'status', 'time', ''), table)}"


def _seconds(step: JsonObject) -> str:
    began, ended = step.get("StartTime"), step.get("EndTime")
    if not isinstance(began, datetime) or not isinstance(ended, datetime):
        return ""
    return duration((ended - began).total_seconds())


def _note(step: JsonObject) -> str:
    hit = step.get("CacheHitResult")
    if hit:
        return f"cached from {str(hit['SourcePipelineExecutionArn']).rpartition('/')[2]}"
    return str(step.get("FailureReason", "")).partition("\n")[0]
