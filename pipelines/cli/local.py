"""How commands open the local SageMaker of a project."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from pipelines.backends.local.executors.contract import LocalSettings
from pipelines.backends.local.sagemaker import LocalSageMaker
from pipelines.cli.options import home
from pipelines.errors import UsageError
from pipelines.json_types import JsonObject


def open_sagemaker(
    file: Path, isolation: Literal["auto", "namespaces", "rewrite"] = "auto"
) -> LocalSageMaker:
    """Open the local SageMaker of the project that a spec file belongs to.

    Raises:
        UsageError: there is no such project, or its `.pipelines` cannot be used.
    """
    if not file.resolve().parent.is_dir():
        raise UsageError(f"there is no folder {file.parent}", "name the spec file with `-f FILE`")
    return LocalSageMaker(LocalSettings(home(file), Path(sys.executable), isolation))


def executions(sagemaker: LocalSageMaker) -> list[JsonObject]:
    """List the executions of every pipeline, the latest first."""
    found: list[JsonObject] = []
    for pipeline in pages(sagemaker.list_pipelines, "PipelineSummaries"):
        name = pipeline["PipelineName"]
        member = "PipelineExecutionSummaries"
        summaries = pages(sagemaker.list_pipeline_executions, member, PipelineName=name)
        found.extend({**summary, "PipelineName": name} for summary in summaries)
    return sorted(found, key=lambda e: (e["StartTime"], e["PipelineExecutionArn"]), reverse=True)


def find_execution(sagemaker: LocalSageMaker, execution: str) -> JsonObject:
    """Find an execution by its id, its ARN, or `latest`.

    Raises:
        UsageError: there is none.
    """
    from pipelines.backends.local.direct import Direct  # noqa: PLC0415 - as above
    from pipelines.execution.executions import find  # noqa: PLC0415 - a run needs it seldom

    pipelines = pages(sagemaker.list_pipelines, "PipelineSummaries")
    return find(Direct(sagemaker), [p["PipelineName"] for p in pipelines], execution)


def identifier(summary: JsonObject) -> str:
    """Take the id out of an execution's ARN."""
    return str(summary["PipelineExecutionArn"]).rpartition("/")[2]


def pages(operation: Callable[..., JsonObject], member: str, **request: object) -> list[JsonObject]:
    """Call a list operation until it gives no NextToken."""
    found: list[JsonObject] = []
    token: dict[str, object] = {}
    while True:
        response = operation(**request, **token)
        found.extend(response[member])
        if "NextToken" not in response:
            return found
        token = {"NextToken": response["NextToken"]}
