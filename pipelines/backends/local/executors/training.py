"""Training: runs a training job as child processes with their own /opt/ml."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from dataclasses import field
from typing import TYPE_CHECKING, Literal

from pipelines.backends.local.executors.contract import StepOutcome
from pipelines.backends.local.jobs.channels import stage_inputs, training_sources
from pipelines.backends.local.jobs.checkpoints import CheckpointSync
from pipelines.backends.local.jobs.metrics import FoundMetrics, final_metrics, metric_patterns
from pipelines.backends.local.jobs.opt_ml import write_training
from pipelines.backends.local.jobs.outputs import store_model, store_output_data
from pipelines.backends.local.jobs.pipes import feed_pipes
from pipelines.backends.local.jobs.run import (
    ContainerCommand,
    LocalJobResult,
    refusal_reason,
    run_job,
)
from pipelines.backends.local.jobs.spec import (
    HostPlan,
    JobLimits,
    JobRefusedError,
    host_plans,
    preferred,
)
from pipelines.backends.local.jobs.toolkit import plain_parameters, training_words
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen
from pipelines.steptypes.training import model_uri

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.backends.local.executors.contract import StepCall
    from pipelines.backends.local.jobs.spec import LocalJob
    from pipelines.json_types import JsonObject

_FAILURE = "output/failure"
_DESCRIBED = (
    "HyperParameters",
    "AlgorithmSpecification",
    "RoleArn",
    "InputDataConfig",
    "OutputDataConfig",
    "ResourceConfig",
    "VpcConfig",
    "StoppingCondition",
    "EnableNetworkIsolation",
    "EnableInterContainerTrafficEncryption",
    "EnableManagedSpotTraining",
    "CheckpointConfig",
    "DebugHookConfig",
    "ExperimentConfig",
    "DebugRuleConfigurations",
    "TensorBoardOutputConfig",
    "ProfilerConfig",
    "ProfilerRuleConfigurations",
    "Environment",
    "RetryStrategy",
    "RemoteDebugConfig",
    "InfraCheckConfig",
)
_Status = Literal["Completed", "Failed", "Stopped"]


@frozen
class _TrainingEnd:
    """How a training job ended; times in seconds since 1970."""

    status: StepStatus
    job_status: _Status = "Failed"
    secondary: str = "Failed"
    reason: str | None = None
    fault: str | None = None
    started: float | None = None
    found: FoundMetrics = field(default_factory=lambda: FoundMetrics([]))


def execute(call: StepCall) -> StepOutcome:
    """Run the job; the properties are DescribeTrainingJob's response."""
    created = time.time()
    arn = call.settings.arn(f"training-job/{call.job_name}")
    try:
        ended = _run(call, arn)
    except PipelinesError as problem:
        ended = _TrainingEnd(StepStatus.FAILED, reason=refusal_reason(problem))
    properties = _describe(call, arn, ended, created)
    metadata = {"TrainingJob": {"Arn": arn}}
    notes = ended.found.notes
    return StepOutcome(ended.status, properties, ended.reason, metadata, ended.fault, notes)


def _run(call: StepCall, arn: str) -> _TrainingEnd:
    request, store = call.arguments, ObjectStore(call.settings.home / "s3")
    _refuse_serverless(request)
    patterns = metric_patterns(request)
    with _laid_out(call, arn, None) as (job, checkpoints):
        container = _container(store, job, request)
        started = time.time()
        with feed_pipes(store, job, training_sources(request)):
            result = run_job(call, job, container, checkpoints.tick)
        checkpoints.save()
        store_output_data(store, job, request)
        if result.reason is None or result.end.cause == "limit":
            store_model(store, job, request)
    return _ended(result, started, final_metrics(patterns, result.logs, call.stop))


@contextmanager
def prepared(
    call: StepCall, arn: str, most_hosts: int | None = None
) -> Iterator[tuple[LocalJob, ContainerCommand]]:
    """Lay out the job's hosts as they are when their container starts; their pipes are fed.

    Args:
        call: the call.
        arn: the job's ARN.
        most_hosts: how many hosts it has at most; None for as many as the request asks for.

    Raises:
        JobRefusedError: the job cannot run on this machine.
    """
    request, store = call.arguments, ObjectStore(call.settings.home / "s3")
    _refuse_serverless(request)
    with _laid_out(call, arn, most_hosts) as (job, _):
        container = _container(store, job, request)
        with feed_pipes(store, job, training_sources(request)):
            yield job, container


@contextmanager
def _laid_out(
    call: StepCall, arn: str, most_hosts: int | None
) -> Iterator[tuple[LocalJob, CheckpointSync]]:
    request = call.arguments
    sources = training_sources(request)
    store = ObjectStore(call.settings.home / "s3")
    isolated = bool(request.get("EnableNetworkIsolation"))
    plans = _plans(request)[:most_hosts]
    with workspace(call.settings, call.job_name, arn, plans, network_isolated=isolated) as job:
        for host in job.hosts:
            write_training(job, host, request, plain_parameters(request))
        stage_inputs(store, job, sources, call.settings.home / "fs")
        checkpoints = CheckpointSync(store, job, request.get("CheckpointConfig"))
        checkpoints.fetch()
        yield job, checkpoints


def _refuse_serverless(request: JsonObject) -> None:
    if not request.get("AlgorithmSpecification") or not request.get("ResourceConfig"):
        raise JobRefusedError(
            "a serverless job has no code that can be started here",
            "use a stub: run --stub STEP=FILE",
        )


def _container(store: ObjectStore, job: LocalJob, request: JsonObject) -> ContainerCommand:
    environment = {
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        **(request.get("Environment") or {}),
    }
    limits = JobLimits.of(request.get("StoppingCondition"))
    return ContainerCommand(training_words(store, job, request), environment, limits, _FAILURE)


def _plans(request: JsonObject) -> list[HostPlan]:
    resources = request["ResourceConfig"]
    return host_plans(resources.get("InstanceGroups") or [preferred(resources)])


def _ended(result: LocalJobResult, started: float, found: FoundMetrics) -> _TrainingEnd:
    status = result.step_status
    match result.end.cause, status:
        case "limit", _:
            now: tuple[_Status, str] = ("Stopped", "MaxRuntimeExceeded")
        case _, StepStatus.STOPPED:
            now = ("Stopped", "Stopped")
        case _, StepStatus.SUCCEEDED:
            now = ("Completed", "Completed")
        case _:
            now = ("Failed", "Failed")
    return _TrainingEnd(status, *now, result.reason, result.fault, started, found)


def _describe(call: StepCall, arn: str, ended: _TrainingEnd, created: float) -> JsonObject:
    now = time.time()
    properties: JsonObject = {
        key: call.arguments[key] for key in _DESCRIBED if key in call.arguments
    }
    properties |= {
        "TrainingJobName": call.job_name,
        "TrainingJobArn": arn,
        "TrainingJobStatus": ended.job_status,
        "SecondaryStatus": ended.secondary,
        "SecondaryStatusTransitions": [
            {"Status": ended.secondary, "StartTime": ended.started or created, "EndTime": now}
        ],
        "ModelArtifacts": {"S3ModelArtifacts": model_uri(call.arguments, call.job_name)},
        "FinalMetricDataList": ended.found.values,
        "CreationTime": created,
        "LastModifiedTime": now,
        "TrainingEndTime": now,
    }
    if ended.reason is not None:
        properties["FailureReason"] = ended.reason
    if ended.started is not None:
        seconds = math.ceil(now - ended.started)
        properties |= {
            "TrainingStartTime": ended.started,
            "TrainingTimeInSeconds": seconds,
            "BillableTimeInSeconds": seconds,
        }
    return properties
