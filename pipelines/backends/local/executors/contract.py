"""The seam between the engine and the executors of step Types.

One module per Type, named by the Type in snake_case (`register_model.py`), with one function
`execute(call: StepCall) -> StepOutcome`; the engine finds it by the name. The engine passes
arguments with every function resolved; the executor returns what the Type's Describe operation
would, so that `Get Steps.<name>.<path>` works on it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.service import JobService
    from pipelines.backends.local.settings import LocalSettings


@frozen
class ExecutionInfo:
    """The pipeline execution that a step belongs to; `start_time` is seconds since 1970."""

    id: str
    arn: str
    pipeline_name: str
    start_time: float


class ModelRegistry(Protocol):
    """The model registry, with operations named and shaped as boto3's."""

    def create_model_package(self, **request: object) -> JsonObject:
        """Register a version; the response has its ARN."""

    def create_model_package_group(self, **request: object) -> JsonObject:
        """Create a group."""

    def describe_model_package(self, **request: object) -> JsonObject:
        """Return a version with every member of its request."""

    def describe_model_package_group(self, **request: object) -> JsonObject:
        """Return a group."""


@frozen
class StepCall:
    """One attempt at one step.

    Args:
        name: the step's name.
        job_name: the unique name that the service generates for the job (FACTS 11.7).
        arguments: the step's `Arguments`, every function resolved.
        step: the step's entry in the definition.
        execution: the execution this belongs to.
        settings: how this machine stands in for SageMaker.
        registry: the model registry.
        logs: an existing folder for this attempt's logs, one file `<host>.log` per host.
        stop: set when the execution is being stopped: end the job and return STOPPED.
        jobs: the job service.
    """

    name: str
    job_name: str
    arguments: JsonObject
    step: JsonObject
    execution: ExecutionInfo
    settings: LocalSettings
    registry: ModelRegistry
    logs: Path
    stop: threading.Event
    jobs: JobService


@frozen
class StepOutcome:
    """How an attempt ended.

    Args:
        status: SUCCEEDED, FAILED or STOPPED.
        properties: the Describe response of what the step created.
        reason: why it failed, at most 1024 characters.
        metadata: the step's entry in ListPipelineExecutionSteps `Metadata`.
        fault: the service's exception type for retries if the platform failed
            (`SageMaker.JOB_INTERNAL_ERROR`, …); None for the user's own failures.
    """

    status: StepStatus
    properties: JsonObject
    reason: str | None = None
    metadata: Mapping[str, JsonObject] = field(default_factory=dict)
    fault: str | None = None
    notes: tuple[str, ...] = ()


class Executor(Protocol):
    """The type of `execute` in each module of this folder."""

    def __call__(self, call: StepCall) -> StepOutcome:
        """Carry out one attempt at a step."""
