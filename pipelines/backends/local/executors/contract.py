"""The seam between the engine and the executors of step Types.

One module per Type, named by the Type in snake_case (`register_model.py`), with one function
`execute(call: StepCall) -> StepOutcome`; the engine finds it by the name. The engine hands over
arguments in which no function is left to resolve; the executor answers with what the Type's
Describe operation would return, so that `Get Steps.<name>.<path>` works on it.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import field
from pathlib import Path
from typing import Literal, Protocol

from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject


@frozen
class LocalSettings:
    """How this machine plays SageMaker.

    Args:
        home: the `.pipelines` folder.
        isolation: `namespaces` gives a job its real /opt/ml; `rewrite` rewrites the paths in
            arguments, environment and config files; `auto` takes namespaces where they are
            to be had.
        interpreter: the Python that stands for `python3` in every image.
        region: the region of generated ARNs.
        account: the account id of generated ARNs, 12 digits.
        endpoint_url: the local HTTP API for jobs (AWS_ENDPOINT_URL), which `run` and `serve` give
            per execution (`RunOptions`); None while none runs, then jobs get a closed loopback
            port: nothing may reach AWS by accident.
    """

    home: Path
    interpreter: Path
    isolation: Literal["auto", "namespaces", "rewrite"] = "auto"
    region: str = "us-east-1"
    account: str = "000000000000"
    endpoint_url: str | None = None


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
        """Register a version; the response holds its ARN."""

    def create_model_package_group(self, **request: object) -> JsonObject:
        """Create a group."""

    def describe_model_package(self, **request: object) -> JsonObject:
        """Return a version with every field of its request."""

    def describe_model_package_group(self, **request: object) -> JsonObject:
        """Return a group."""


@frozen
class StepCall:
    """One attempt at one step.

    Args:
        name: the step's name.
        job_name: the unique name that the service makes for the job (FACTS 11.7).
        arguments: the step's `Arguments`, every function resolved.
        step: the step as it stands in the definition.
        execution: the execution this belongs to.
        settings: how this machine plays SageMaker.
        registry: the model registry.
        logs: an existing folder for this attempt's logs, one file `<host>.log` per host.
        stop: set when the execution is being stopped: end the job and answer STOPPED.
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


@frozen
class StepOutcome:
    """How an attempt ended.

    Args:
        status: SUCCEEDED, FAILED or STOPPED.
        properties: the Describe response of what the step made.
        reason: why it failed, at most 1024 characters.
        metadata: the step's entry in ListPipelineExecutionSteps `Metadata`.
        fault: the service's retry exception type when the failure was the platform's
            (`SageMaker.JOB_INTERNAL_ERROR`, …), None for the user's own failures.
    """

    status: StepStatus
    properties: JsonObject
    reason: str | None = None
    metadata: Mapping[str, JsonObject] = field(default_factory=dict)
    fault: str | None = None


class Executor(Protocol):
    """What a module of this folder offers as `execute`."""

    def __call__(self, call: StepCall) -> StepOutcome:
        """Carry out one attempt at a step."""
