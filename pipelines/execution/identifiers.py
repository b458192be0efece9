"""How an execution is named: by its ARN, its id, or as the latest one."""

from __future__ import annotations

from pipelines.json_types import JsonObject

LATEST = "latest"
"""What stands for the execution that was started last."""


def identifier(execution: JsonObject | str) -> str:
    """Take the id out of an execution's ARN."""
    arn = execution if isinstance(execution, str) else str(execution["PipelineExecutionArn"])
    return arn.rpartition("/")[2]


def pipeline_of(arn: str) -> str:
    """Take the pipeline's name out of an execution's ARN."""
    return arn.partition(":pipeline/")[2].partition("/")[0]
