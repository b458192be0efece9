"""The statuses of executions and of their steps, in the service's words."""

from __future__ import annotations

from enum import StrEnum


class ExecutionStatus(StrEnum):
    """`PipelineExecutionStatus` of the service."""

    EXECUTING = "Executing"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"
    COMPLETED_WITH_FAILURES = "CompletedWithFailures"


class StepStatus(StrEnum):
    """`StepStatus` of the service."""

    STARTING = "Starting"
    EXECUTING = "Executing"
    STOPPING = "Stopping"
    STOPPED = "Stopped"
    FAILED = "Failed"
    SUCCEEDED = "Succeeded"


OPEN: frozenset[str] = frozenset({ExecutionStatus.EXECUTING, ExecutionStatus.STOPPING})
"""The statuses of an execution that has not ended."""

REUSABLE: frozenset[str] = frozenset({ExecutionStatus.SUCCEEDED, ExecutionStatus.FAILED})
"""The statuses of an execution whose results others may take (FACTS 1.11)."""

ENDED: frozenset[str] = frozenset({StepStatus.SUCCEEDED, StepStatus.FAILED, StepStatus.STOPPED})
"""The statuses of a step that has ended."""
