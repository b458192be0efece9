"""Fail: ends the execution as failed, with the message in the definition."""

from __future__ import annotations

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.execution.status import StepStatus


def execute(call: StepCall) -> StepOutcome:
    """Fail with `ErrorMessage`."""
    message = str(call.arguments.get("ErrorMessage", ""))
    return StepOutcome(
        StepStatus.FAILED,
        properties={"ErrorMessage": message},
        reason=message,
        metadata={"Fail": {"ErrorMessage": message}},
    )
