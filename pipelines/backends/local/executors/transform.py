"""Transform: creates a transform job and waits for it."""

from __future__ import annotations

from pipelines.backends.local.executors.as_job import run_as_job
from pipelines.backends.local.executors.contract import StepCall, StepOutcome


def execute(call: StepCall) -> StepOutcome:
    """Run the job; the properties are DescribeTransformJob's response."""
    return run_as_job("Transform", call)
