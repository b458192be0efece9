"""How an execution is named: by its ARN, its id, or as the latest one."""

from __future__ import annotations

import re
from typing import Final

from pipelines.json_types import JsonObject

LATEST = "latest"
"""What stands for the execution that was started last; `latest~1` for the one before it."""

_RECENT: Final = re.compile(rf"{LATEST}(?:~(?P<back>\d{{1,4}}))?")


def identifier(execution: JsonObject | str) -> str:
    """Take the id out of an execution's ARN."""
    arn = execution if isinstance(execution, str) else str(execution["PipelineExecutionArn"])
    return arn.rpartition("/")[2]


def pipeline_of(arn: str) -> str:
    """Take the pipeline's name out of an execution's ARN."""
    return arn.partition(":pipeline/")[2].partition("/")[0]


def generations_back(name: str) -> int | None:
    """Return how many executions before the latest one a name means; None for an id or an ARN."""
    found = _RECENT.fullmatch(name)
    return None if found is None else int(found["back"] or 0)


def is_of(pipeline: str, arn: str) -> bool:
    """Return whether an execution is one of a pipeline; the service writes ARNs in lower case."""
    return pipeline_of(arn).lower() == pipeline.lower()
