"""The functions that may stand for any value of a definition: `Get`, `Std:Join`, `Std:JsonGet`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

from pipelines.json_types import Json

GET: Final = "Get"
JOIN: Final = "Std:Join"
JSON_GET: Final = "Std:JsonGet"
FUNCTIONS: Final = (GET, JOIN, JSON_GET)

EXECUTION_VARIABLES: Final = (
    "StartDateTime",
    "CurrentDateTime",
    "PipelineName",
    "PipelineArn",
    "PipelineExecutionId",
    "PipelineExecutionArn",
    "TrainingJobName",
    "ProcessingJobName",
)
"""Names after `Execution.` (SDK core/workflow/execution_variables.py)."""


def is_function(value: Json) -> bool:
    """Say whether a value is meant as a function, well formed or not."""
    return isinstance(value, dict) and any(
        key == GET or (isinstance(key, str) and key.startswith("Std:")) for key in value
    )


def result_type(value: Json, parameters: Mapping[str, str]) -> str | None:
    """Return what a function's result is, as a parameter type; None where nobody can know.

    Args:
        value: a function.
        parameters: name → `String`, `Integer`, `Float` or `Boolean`.
    """
    if JOIN in value:
        return "String"
    target = value.get(GET)
    if not isinstance(target, str):
        return None
    if target.startswith("Parameters."):
        return parameters.get(target.removeprefix("Parameters."))
    if target.startswith(("Execution.", "PipelineExperimentConfig.")):
        return "String"
    return None


def text_of(value: Json) -> str:
    """Write a value as `Std:Join` does: strings as they are, everything else as JSON.

    How the service writes floats is not documented; JSON's form is assumed.
    """
    return value if isinstance(value, str) else json.dumps(value)
