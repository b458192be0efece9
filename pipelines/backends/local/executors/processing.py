"""Processing: runs a processing job as child processes with their own /opt/ml."""

from __future__ import annotations

import codecs
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.backends.local.executors.contract import StepOutcome
from pipelines.backends.local.jobs.channels import processing_sources, stage_inputs
from pipelines.backends.local.jobs.opt_ml import write_processing
from pipelines.backends.local.jobs.outputs import make_output_folders, store_outputs
from pipelines.backends.local.jobs.run import ContainerCommand, refusal_reason, run_job
from pipelines.backends.local.jobs.spec import (
    JobLimits,
    JobRefusedError,
    host_plans,
    preferred,
)
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.backends.local.executors.contract import StepCall
    from pipelines.backends.local.jobs.spec import LocalJob
    from pipelines.json_types import JsonObject

_MESSAGE = "output/message"
_MESSAGE_BYTES = 1024
_DESCRIBED = (
    "ProcessingInputs",
    "ProcessingOutputConfig",
    "ProcessingResources",
    "StoppingCondition",
    "AppSpecification",
    "Environment",
    "NetworkConfig",
    "RoleArn",
    "ExperimentConfig",
)
_STATUS = {
    StepStatus.SUCCEEDED: "Completed",
    StepStatus.FAILED: "Failed",
    StepStatus.STOPPED: "Stopped",
}


@frozen
class _ProcessingEnd:
    """How a processing job ended; times in seconds since 1970."""

    status: StepStatus
    reason: str | None = None
    fault: str | None = None
    message: str | None = None
    started: float | None = None
    timed_out: bool = False


def execute(call: StepCall) -> StepOutcome:
    """Run the job; the properties are DescribeProcessingJob's response."""
    created = time.time()
    arn = call.settings.arn(f"processing-job/{call.job_name}")
    try:
        ended = _run(call, arn)
    except PipelinesError as problem:
        ended = _ProcessingEnd(StepStatus.FAILED, refusal_reason(problem))
    properties = _describe(call, arn, ended, created)
    metadata = {"ProcessingJob": {"Arn": arn}}
    return StepOutcome(ended.status, properties, ended.reason, metadata, ended.fault)


def _run(call: StepCall, arn: str) -> _ProcessingEnd:
    request, store = call.arguments, ObjectStore(call.settings.home / "s3")
    with prepared(call, arn) as (job, container):
        started = time.time()
        result = run_job(call, job, container, tick=lambda: None)
        status, reason = result.step_status, result.reason
        message = _exit_message(job)
        if message is None and status is not StepStatus.STOPPED:
            status, reason = StepStatus.FAILED, f"the text in /opt/ml/{_MESSAGE} is not UTF-8"
        if status is StepStatus.SUCCEEDED:
            store_outputs(store, job, request)
    timed_out = result.end.cause == "limit"
    return _ProcessingEnd(status, reason, result.fault, message or None, started, timed_out)


@contextmanager
def prepared(
    call: StepCall, arn: str, most_hosts: int | None = None
) -> Iterator[tuple[LocalJob, ContainerCommand]]:
    """Lay out the job's hosts as they are when their container starts.

    Args:
        call: the call.
        arn: the job's ARN.
        most_hosts: how many hosts it has at most; None for as many as the request asks for.

    Raises:
        JobRefusedError: the job cannot run on this machine.
    """
    request = call.arguments
    words = _words(request)
    sources = processing_sources(request)
    store = ObjectStore(call.settings.home / "s3")
    plans = host_plans([preferred(request["ProcessingResources"]["ClusterConfig"])])[:most_hosts]
    isolated = bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation"))
    with workspace(call.settings, call.job_name, arn, plans, network_isolated=isolated) as job:
        for host in job.hosts:
            write_processing(job, host, request)
        stage_inputs(store, job, sources, call.settings.home / "fs")
        make_output_folders(job, request)
        limits = JobLimits.of(request.get("StoppingCondition"))
        yield job, ContainerCommand(words, request.get("Environment") or {}, limits, _MESSAGE)


def _words(request: JsonObject) -> list[str]:
    application = request["AppSpecification"]
    entrypoint = application.get("ContainerEntrypoint")
    if not entrypoint:
        raise JobRefusedError(
            f"the image {application['ImageUri']} has its own entrypoint, which cannot run"
            " without a container",
            "set a ContainerEntrypoint for the step, or use a stub: run --stub STEP=FILE",
        )
    return [*entrypoint, *(application.get("ContainerArguments") or [])]


def _exit_message(job: LocalJob) -> str | None:
    """Read the first 1,024 bytes of the first message that a host wrote; None if not UTF-8."""
    for host in job.hosts:
        file = host.ml / _MESSAGE
        if file.is_file():
            with file.open("rb") as text:
                data = text.read(_MESSAGE_BYTES)
            try:
                # Incremental: a character that the limit cuts in two is dropped, not an error.
                return codecs.getincrementaldecoder("utf-8")().decode(data)
            except UnicodeDecodeError:
                return None
    return ""


def _describe(call: StepCall, arn: str, ended: _ProcessingEnd, created: float) -> JsonObject:
    now = time.time()
    properties: JsonObject = {
        key: call.arguments[key] for key in _DESCRIBED if key in call.arguments
    }
    status = "Stopped" if ended.timed_out else _STATUS[ended.status]
    properties |= {
        "ProcessingJobName": call.job_name,
        "ProcessingJobArn": arn,
        "ProcessingJobStatus": status,
        "CreationTime": created,
        "LastModifiedTime": now,
        "ProcessingEndTime": now,
    }
    optional = {
        "ExitMessage": ended.message,
        "FailureReason": ended.reason,
        "ProcessingStartTime": ended.started,
    }
    return properties | {key: value for key, value in optional.items() if value is not None}
