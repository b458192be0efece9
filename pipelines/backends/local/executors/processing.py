"""Run a Processing step: a processing job as child processes with their own /opt/ml."""

from __future__ import annotations

import codecs
import time
from typing import TYPE_CHECKING

from pipelines.backends.local.executors.contract import StepOutcome
from pipelines.backends.local.jobs.channels import bring, processing_sources
from pipelines.backends.local.jobs.opt_ml import write_processing
from pipelines.backends.local.jobs.outputs import make_output_folders, store_outputs
from pipelines.backends.local.jobs.reasons import refused
from pipelines.backends.local.jobs.run import Start, job_arn, run_job, step_status
from pipelines.backends.local.jobs.spec import HostPlan, JobRefusedError, Limits
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.backends.local.objects import ObjectStore
from pipelines.errors import PipelinesError
from pipelines.execution.status import StepStatus
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from pipelines.backends.local.executors.contract import StepCall
    from pipelines.backends.local.jobs.spec import Job
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
class _Ended:
    """What became of a processing job; times in seconds since 1970."""

    status: StepStatus
    reason: str | None = None
    fault: str | None = None
    message: str | None = None
    started: float | None = None
    over_the_limit: bool = False


def execute(call: StepCall) -> StepOutcome:
    """Run the job; the properties are DescribeProcessingJob's response."""
    created = time.time()
    arn = job_arn(call, "processing-job")
    try:
        ended = _run(call, arn)
    except PipelinesError as problem:
        ended = _Ended(StepStatus.FAILED, refused(problem))
    properties = _describe(call, arn, ended, created)
    metadata = {"ProcessingJob": {"Arn": arn}}
    return StepOutcome(ended.status, properties, ended.reason, metadata, ended.fault)


def _run(call: StepCall, arn: str) -> _Ended:
    request = call.arguments
    words = _words(request)
    sources = processing_sources(request)
    store = ObjectStore(call.settings.home / "s3")
    cluster = request["ProcessingResources"]["ClusterConfig"]
    plans = [
        HostPlan(f"algo-{number + 1}", instance_type=cluster.get("InstanceType", "local"))
        for number in range(int(cluster.get("InstanceCount", 1)))
    ]
    isolated = bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation"))
    with workspace(call.settings, call.job_name, arn, plans, network_isolated=isolated) as job:
        for host in job.hosts:
            write_processing(job, host, request)
        bring(store, job, sources, call.settings.home / "fs")
        make_output_folders(job, request)
        limits = Limits.of(request.get("StoppingCondition"))
        start = Start(words, request.get("Environment") or {}, limits, _MESSAGE)
        started = time.time()
        ran = run_job(call, job, start, tick=lambda: None)
        status, reason = step_status(ran), ran.reason
        message = _exit_message(job)
        if message is None and status is not StepStatus.STOPPED:
            status, reason = StepStatus.FAILED, f"the text in /opt/ml/{_MESSAGE} is not UTF-8"
        if status is StepStatus.SUCCEEDED:
            store_outputs(store, job, request)
    late = ran.end.cause == "limit"
    return _Ended(status, reason, ran.fault, message or None, started, late)


def _words(request: JsonObject) -> list[str]:
    application = request["AppSpecification"]
    entrypoint = application.get("ContainerEntrypoint")
    if not entrypoint:
        raise JobRefusedError(
            f"the image {application['ImageUri']} brings its own entrypoint, which cannot run"
            " without a container",
            "give the step a ContainerEntrypoint, or a stub: run --stub STEP=FILE",
        )
    return [*entrypoint, *(application.get("ContainerArguments") or [])]


def _exit_message(job: Job) -> str | None:
    """Read the first 1,024 bytes of the first message a host wrote; None when not UTF-8."""
    for host in job.hosts:
        file = host.ml / _MESSAGE
        if file.is_file():
            with file.open("rb") as text:
                data = text.read(_MESSAGE_BYTES)
            try:
                # Incremental: a character that the limit cuts in two is left out, not an error.
                return codecs.getincrementaldecoder("utf-8")().decode(data)
            except UnicodeDecodeError:
                return None
    return ""


def _describe(call: StepCall, arn: str, ended: _Ended, created: float) -> JsonObject:
    now = time.time()
    properties: JsonObject = {
        key: call.arguments[key] for key in _DESCRIBED if key in call.arguments
    }
    status = "Stopped" if ended.over_the_limit else _STATUS[ended.status]
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
