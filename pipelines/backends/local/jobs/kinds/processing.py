"""Processing jobs: child processes with their own /opt/ml."""

from __future__ import annotations

import codecs
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipelines.backends.local.hosting.boot import stand_in
from pipelines.backends.local.jobs.capacity import taken_instances
from pipelines.backends.local.jobs.channels import idle_hosts, stage_inputs
from pipelines.backends.local.jobs.kind import JobKind
from pipelines.backends.local.jobs.opt_ml import write_processing
from pipelines.backends.local.jobs.outputs import make_output_folders, store_outputs
from pipelines.backends.local.jobs.own_entrypoint import require_command, without_spark
from pipelines.backends.local.jobs.run import run_job
from pipelines.backends.local.jobs.sources import processing_sources
from pipelines.backends.local.jobs.spec import (
    ContainerCommand,
    JobLimits,
    JobRefusedError,
    host_plans,
)
from pipelines.backends.local.jobs.states import JobOutcome, JobPhase, JobStatus
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.stub_advice import USE_A_STUB
from pipelines.images.toolkits import is_submitted
from pipelines.steptypes.processing import STEP_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pipelines.backends.local.jobs.kind import JobOrder
    from pipelines.backends.local.jobs.spec import LocalJob
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject

_MESSAGE = "output/message"
_MESSAGE_BYTES = 1024


def _run(order: JobOrder) -> JobOutcome:
    store = ObjectStore(order.settings.home / "s3")
    with prepared(order) as (job, container):
        order.progress.entered(JobPhase.RUNNING)
        result = run_job(order, job, container, tick=lambda: None)
        status, reason = result.status, result.reason
        message = _exit_message(job)
        if message is None and status is not JobStatus.STOPPED:
            status, reason = JobStatus.FAILED, f"the text in /opt/ml/{_MESSAGE} is not UTF-8"
        if status is JobStatus.COMPLETED:
            store_outputs(store, job, order.request)
    results = {"ExitMessage": message} if message else {}
    return JobOutcome(status, reason, fault=result.fault, results=results)


@contextmanager
def prepared(
    order: JobOrder, most_hosts: int | None = None
) -> Iterator[tuple[LocalJob, ContainerCommand]]:
    """Lay out the job's hosts as they are when their container starts.

    Args:
        order: the job.
        most_hosts: how many hosts it has at most; None for as many as the request asks for.

    Raises:
        JobRefusedError: the job cannot run on this machine.
    """
    request = order.request
    words = _words(request, order.settings.interpreter)
    sources = processing_sources(request)
    store = ObjectStore(order.settings.home / "s3")
    most = 1 if is_submitted(request["AppSpecification"]["ImageUri"]) else most_hosts
    plans = host_plans([taken_instances(request["ProcessingResources"]["ClusterConfig"])])[:most]
    isolated = bool((request.get("NetworkConfig") or {}).get("EnableNetworkIsolation"))
    with workspace(
        order.settings,
        order.identity,
        plans,
        network_isolated=isolated,
        cleaning=order.cleaning,
    ) as job:
        for host in job.hosts:
            write_processing(job, host, request)
        stage_inputs(store, job, sources, order.settings.home / "fs")
        make_output_folders(job, request)
        limits = JobLimits.of(request.get("StoppingCondition"), order.settings.grace)
        image = str(request["AppSpecification"]["ImageUri"])
        variables = {
            **stand_in(image, order.logs.absolute() / "serving", order.settings),
            **(request.get("Environment") or {}),
        }
        remarks = [*idle_hosts(store, job, sources)]
        yield job, ContainerCommand(words, variables, limits, _MESSAGE, remarks)


def _words(request: JsonObject, interpreter: Path) -> list[str]:
    application = request["AppSpecification"]
    entrypoint = application.get("ContainerEntrypoint")
    if not entrypoint:
        raise JobRefusedError(
            f"the image {application['ImageUri']} has its own entrypoint, which cannot run"
            " without a container",
            f"set a ContainerEntrypoint for the step, or {USE_A_STUB}",
        )
    words = without_spark(
        [*entrypoint, *(application.get("ContainerArguments") or [])], interpreter
    )
    require_command(words, application["ImageUri"], interpreter)
    return words


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


def _describe(job: JobRecord) -> JsonObject:
    return {"LastModifiedTime": job.state.modified}


KIND = JobKind(
    type=STEP_TYPE,
    run=_run,
    describe=_describe,
    prepared=prepared,
    listed=("FailureReason", "ExitMessage"),
    event_times="number",
)
