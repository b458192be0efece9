"""Training jobs: child processes with their own /opt/ml."""

from __future__ import annotations

import math
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs import own_entrypoint
from pipelines.backends.local.jobs.capacity import taken_instances
from pipelines.backends.local.jobs.channels import idle_hosts, stage_inputs, writable_here
from pipelines.backends.local.jobs.checkpoints import CheckpointSync
from pipelines.backends.local.jobs.isolation import choose
from pipelines.backends.local.jobs.kind import JobKind
from pipelines.backends.local.jobs.metrics import final_metrics, metric_patterns
from pipelines.backends.local.jobs.opt_ml import write_training
from pipelines.backends.local.jobs.outputs import store_model, store_output_data
from pipelines.backends.local.jobs.pipes import feed_pipes
from pipelines.backends.local.jobs.run import run_job
from pipelines.backends.local.jobs.sources import FileSystemSource, training_sources
from pipelines.backends.local.jobs.spec import (
    ContainerCommand,
    HostPlan,
    JobLimits,
    JobRefusedError,
    host_plans,
)
from pipelines.backends.local.jobs.spot import SpotCapacity
from pipelines.backends.local.jobs.states import (
    MAX_RUNTIME_EXCEEDED,
    MAX_WAIT_TIME_EXCEEDED,
    JobOutcome,
    JobPhase,
    JobStatus,
)
from pipelines.backends.local.jobs.toolkit import (
    image_of,
    starts_image,
    training_words,
)
from pipelines.backends.local.jobs.workspace import workspace
from pipelines.backends.local.objects import ObjectStore
from pipelines.backends.local.stub_advice import USE_A_STUB
from pipelines.execution import searching
from pipelines.runtime.checkpoints import WRITABLE_VARIABLE
from pipelines.steptypes.training import STEP_TYPE
from pipelines.steptypes.training_job import event_files

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.backends.local.jobs.kind import JobOrder
    from pipelines.backends.local.jobs.metrics import FoundMetrics
    from pipelines.backends.local.jobs.run import LocalJobResult
    from pipelines.backends.local.jobs.spec import EndCause, LocalJob
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject

_FAILURE = "output/failure"


def _run(order: JobOrder) -> JobOutcome:
    request, store = order.request, ObjectStore(order.settings.home / "s3")
    _refuse_serverless(request)
    patterns = metric_patterns(request)
    if patterns:
        searching.prepare()
    spot = SpotCapacity(order.settings)
    while (result := _trained(order, store, spot)).end.cause == "interrupted":
        if not spot.returns:
            return _given_up(request, spot)
        if order.cleaning is not None:
            order.cleaning.close()  # the new hosts get the folders of those that are gone
        order.progress.entered(JobPhase.STARTING)
    notes = (own_entrypoint.note(image_of(request)),) if starts_image(request) else ()
    found = final_metrics(patterns, result.logs, order.stop)
    return _outcome(result, found, (*notes, *spot.ended()))


def _given_up(request: JsonObject, spot: SpotCapacity) -> JobOutcome:
    """Return how a job ends that may wait for spot capacity no longer."""
    most = (request.get("StoppingCondition") or {}).get("MaxWaitTimeInSeconds")
    limit = "StoppingCondition.MaxWaitTimeInSeconds" + (f" ({most} s)" if most else "")
    reason = f"the job waited longer than {limit} for spot capacity and was ended"
    stopped = JobStatus.STOPPED
    return JobOutcome(stopped, reason, secondary=MAX_WAIT_TIME_EXCEEDED, notes=spot.ended())


def _trained(order: JobOrder, store: ObjectStore, spot: SpotCapacity) -> LocalJobResult:
    """Train on new hosts, to the end or as long as their spot capacity lasts."""
    request = order.request
    order.progress.entered(JobPhase.DOWNLOADING)
    with _laid_out(order, None) as (job, checkpoints, events):
        container = _container(store, job, order)
        order.progress.entered(JobPhase.RUNNING)
        spot.begins()

        def tick() -> EndCause | None:
            checkpoints.tick()
            events.tick()
            return spot.tick(checkpoints)

        with feed_pipes(store, job, training_sources(request)):
            result = run_job(order, job, container, tick)
        checkpoints.save()
        events.save()
        if result.end.cause == "interrupted":
            order.progress.entered(JobPhase.INTERRUPTED)
            spot.interrupted(checkpoints, result.logs)
            return result
        order.progress.entered(JobPhase.UPLOADING)
        store_output_data(store, job, request)
        if result.reason is None or result.end.cause == "limit":
            store_model(store, job, request)
    return result


@contextmanager
def prepared(
    order: JobOrder, most_hosts: int | None = None
) -> Iterator[tuple[LocalJob, ContainerCommand]]:
    """Lay out the job's hosts as they are when their container starts; their pipes are fed.

    Args:
        order: the job.
        most_hosts: how many hosts it has at most; None for as many as the request asks for.

    Raises:
        JobRefusedError: the job cannot run on this machine.
    """
    request, store = order.request, ObjectStore(order.settings.home / "s3")
    _refuse_serverless(request)
    with _laid_out(order, most_hosts) as (job, *_):
        container = _container(store, job, order)
        with feed_pipes(store, job, training_sources(request)):
            yield job, container


@contextmanager
def _laid_out(
    order: JobOrder, most_hosts: int | None
) -> Iterator[tuple[LocalJob, CheckpointSync, CheckpointSync]]:
    """Lay out the hosts; yield them with what saves checkpoints and TensorBoard's event files."""
    request = order.request
    sources = training_sources(request)
    store = ObjectStore(order.settings.home / "s3")
    isolated = bool(request.get("EnableNetworkIsolation"))
    plans = _plans(request)[:most_hosts]
    with workspace(
        order.settings,
        order.identity,
        plans,
        network_isolated=isolated,
        cleaning=order.cleaning,
    ) as job:
        for host in job.hosts:
            write_training(job, host, request)
        stage_inputs(store, job, sources, order.settings.home / "fs")
        checkpoints = CheckpointSync(store, job, request.get("CheckpointConfig"))
        events = CheckpointSync(store, job, _event_files(request, job))
        for saved in (checkpoints, events):
            saved.fetch()
        yield job, checkpoints, events


def _event_files(request: JsonObject, job: LocalJob) -> JsonObject | None:
    """Return where event files go, in the members of a `CheckpointConfig`; None without any."""
    uri = event_files({**request, "TrainingJobName": job.name})
    if uri is None:
        return None
    folder = request["TensorBoardOutputConfig"].get("LocalPath") or "/opt/ml/output/tensorboard"
    return {"S3Uri": uri, "LocalPath": folder}


def _refuse_serverless(request: JsonObject) -> None:
    if not request.get("AlgorithmSpecification") or not request.get("ResourceConfig"):
        raise JobRefusedError("a serverless job has no code that can be started here", USE_A_STUB)


def _container(store: ObjectStore, job: LocalJob, order: JobOrder) -> ContainerCommand:
    request = order.request
    words = training_words(store, job, request, order.settings.interpreter)
    environment = {
        "TRAINING_JOB_NAME": job.name,
        "TRAINING_JOB_ARN": job.arn,
        **_written(request),
        **(request.get("Environment") or {}),
    }
    limits = JobLimits.of(request.get("StoppingCondition"), order.settings.grace)
    return ContainerCommand(words, environment, limits, _FAILURE, _remarks(store, job, order))


def _written(request: JsonObject) -> dict[str, str]:
    """Name the channels that the training may write to, for the fingerprint of its checkpoints."""
    if not request.get("CheckpointConfig"):
        return {}
    sources = [one for one in training_sources(request) if isinstance(one, FileSystemSource)]
    names = (PurePosixPath(one.folder).name for one in sources if not one.read_only)
    return {WRITABLE_VARIABLE: ",".join(names)}


def _remarks(store: ObjectStore, job: LocalJob, order: JobOrder) -> list[str]:
    """Name channels that the service mounts read-only, and hosts that get nothing of a channel."""
    sources = training_sources(order.request)
    writable = writable_here(job, sources)
    why = choose(order.settings.isolation).why if writable else ""
    return [
        *idle_hosts(store, job, sources),
        *(
            f"warning: {label} is read-only in SageMaker, but can be written here: {why}"
            for label in writable
        ),
    ]


def _plans(request: JsonObject) -> list[HostPlan]:
    resources = request["ResourceConfig"]
    return host_plans(resources.get("InstanceGroups") or [taken_instances(resources)])


def _outcome(
    result: LocalJobResult, found: FoundMetrics, notes: tuple[str, ...] = ()
) -> JobOutcome:
    cut_off = result.end.cause == "limit"
    return JobOutcome(
        result.status,
        result.reason,
        secondary=MAX_RUNTIME_EXCEEDED if cut_off else None,
        fault=result.fault,
        results={"FinalMetricDataList": found.values} if found.values else {},
        notes=(*notes, *found.notes),
    )


def _describe(job: JobRecord) -> JsonObject:
    state = job.state
    members: JsonObject = {
        "SecondaryStatus": state.secondary,
        "SecondaryStatusTransitions": [one.described() for one in state.transitions],
        "LastModifiedTime": state.modified,
    }
    if state.ended is None:
        return members
    members |= {"FinalMetricDataList": [], **STEP_TYPE.describes(job.request, job.name)}
    if state.started is not None:
        seconds = math.ceil(state.ended - state.started)
        members |= {"TrainingTimeInSeconds": seconds, "BillableTimeInSeconds": seconds}
    return members


KIND = JobKind(
    type=STEP_TYPE,
    run=_run,
    describe=_describe,
    prepared=prepared,
    hidden=("Tags", "SessionChainingConfig"),
    listed=("SecondaryStatus",),
    event_times="text",
    taken=(
        "Training job names must be unique within an AWS account and region, and a training job"
        " with this name already exists ({arn})"
    ),
    absent="Requested resource not found.",
    unstoppable="Requested resource not found.",
)
