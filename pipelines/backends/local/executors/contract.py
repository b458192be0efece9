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
from typing import TYPE_CHECKING, Literal, Protocol

from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.service import JobService
    from pipelines.backends.local.simulations.reading import Simulated


@frozen
class ApiCredentials:
    """What callers of the local API sign their requests with; nobody verifies the default."""

    access_key: str = "local"
    secret_key: str = "local"  # noqa: S105 - as good as none


@frozen
class LocalApi:
    """The local SageMaker over HTTP: where it is, and what its callers sign with."""

    url: str
    credentials: ApiCredentials = ApiCredentials()


@frozen
class LocalSettings:
    """How this machine stands in for SageMaker.

    Args:
        home: the `.pipelines` folder.
        isolation: `namespaces` gives a job its real /opt/ml; `rewrite` rewrites the paths in
            arguments, environment and config files; `auto` uses namespaces if they are
            available.
        interpreter: the Python that stands for `python3` in every image.
        region: the region of generated ARNs.
        account: the account id of generated ARNs, 12 digits.
        api: the local HTTP API for jobs, which `run` and `serve` set per execution
            (`RunOptions`); without one jobs get a closed loopback port, so that nothing reaches
            AWS by accident.
        callers: how the API recognises its owner's programs: by the `user` of a connection, by
            the `signature` of a request, or `auto`: by the user where the system knows it.
        lent: the file with the modules that a job may import; None lends it all that is here.
        simulated: what happens in a job as in an account: cases by simulation.
        grace: seconds that a job has between SIGTERM and SIGKILL; 120 in the service.
    """

    home: Path
    interpreter: Path
    isolation: Literal["auto", "namespaces", "rewrite"] = "auto"
    region: str = "us-east-1"
    account: str = "000000000000"
    api: LocalApi | None = None
    callers: Literal["auto", "user", "signature"] = "auto"
    lent: Path | None = None
    simulated: Simulated = field(default_factory=dict)
    grace: float = 10.0

    def arn(self, resource: str) -> str:
        """Return the ARN of a SageMaker resource such as `model-package/flights/3`."""
        family = self.region.split("-")
        partition = "aws-cn" if family[0] == "cn" else "aws-us-gov" if "gov" in family else "aws"
        return f"arn:{partition}:sagemaker:{self.region}:{self.account}:{resource}"


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
