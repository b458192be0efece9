"""(target, registry, input, jobs, history) → the next action of a batch. Pure.

One transform job for each version and content of the input: what has a successful entry in the
history is not done again. A failed job leaves none, so that the next deployment tries again.
"""

from __future__ import annotations

from typing import NamedTuple

from pipelines.programs.deploy.decide import NOTHING, RECORD, WAIT, Decision, nothing_due
from pipelines.programs.deploy.model import (
    SUCCEEDED,
    DeploymentTarget,
    EndpointState,
    ModelVersion,
)

START, FAIL = "start", "fail"
_RUNNING = frozenset({"InProgress", "Stopping"})
_OVER = frozenset({"Failed", "Stopped"})
"""Of a job of an earlier deployment: it is tried again."""

_OF_MODEL = "AlgorithmError"
"""How a FailureReason begins where the model is at fault, and not its input or the machine."""


class TransformJob(NamedTuple):
    """A transform job of ours.

    Args:
        name: its name, which ends with the number of the attempt.
        status: its TransformJobStatus.
        reason: why it failed.
    """

    name: str
    status: str
    reason: str = ""

    @property
    def number(self) -> int:
        """The number of the attempt."""
        return int(self.name.rpartition("-")[2])

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.status in _RUNNING

    @property
    def blames_version(self) -> bool:
        """Whether another version might do better on the same input."""
        return self.status == "Failed" and self.reason.startswith(_OF_MODEL)


class BatchState(NamedTuple):
    """Everything that a decision rests on.

    Args:
        registry: versions and history; a batch has no endpoint.
        fingerprint: of the content of the input.
        size: how many objects the input has.
        jobs: the jobs for the deployable versions and this input, by the name without a number,
            the latest last.
        running: every job of this batch that has not ended.
    """

    registry: EndpointState
    fingerprint: str
    size: int
    jobs: dict[str, tuple[TransformJob, ...]]
    running: tuple[TransformJob, ...] = ()


def decide_batch(
    target: DeploymentTarget,
    state: BatchState,
    tried: frozenset[str] = frozenset(),
    unfit: frozenset[str] = frozenset(),
) -> Decision:
    """Return the next action.

    Args:
        target: what is to be done.
        state: what was found.
        tried: the jobs that were started or waited for in this deployment.
        unfit: the packages of which this deployment could make no model.
    """
    for version in state.registry.versions:
        if not version.is_deployable or version.arn in unfit:
            continue
        decision = _of_version(target, state, version, tried)
        if decision is not None:
            return decision
    if unfit or tried:
        return Decision(NOTHING, f"no other version of {target.group} is approved")
    return Decision(NOTHING, nothing_due(target, state.registry))


def _of_version(
    target: DeploymentTarget, state: BatchState, version: ModelVersion, tried: frozenset[str]
) -> Decision | None:
    """Return what to do with a version; None where the next lower one is due."""
    named, package = f"{target.group}/{version.number}", version.arn
    name = target.job_name(package, state.fingerprint)
    output = target.batch["TransformOutput"]["S3OutputPath"]
    if state.registry.last(name) == SUCCEEDED:
        done = f"{named} has processed {input_of(target)}: the results are below {output}"
        return Decision(NOTHING, done, name, package)
    jobs = state.jobs.get(name, ())
    if jobs and (jobs[-1].name in tried or jobs[-1].status not in _OVER):
        return _of_job(jobs[-1], package)
    if state.running:  # it writes where this one would write
        return _wait(state.running[0], package)
    number = jobs[-1].number + 1 if jobs else 1
    objects = f"{state.size} object{'' if state.size == 1 else 's'}"
    message = f"start a transform job with {named}: {objects} of {input_of(target)}"
    return Decision(START, message, f"{name}-{number}", package)


def _of_job(job: TransformJob, package: str) -> Decision | None:
    """Return what to do with a job that runs or has ended; None where its model is at fault."""
    if job.is_running:
        return _wait(job, package)
    if job.status == "Completed":
        name = job.name.rpartition("-")[0]
        return Decision(RECORD, f"record {job.name}, which is Completed", name, package)
    if job.blames_version:
        return None
    reason = f": {job.reason}" if job.reason else ""
    return Decision(
        FAIL, f"the transform job {job.name} is {job.status}{reason}", job.name, package
    )


def _wait(job: TransformJob, package: str) -> Decision:
    return Decision(WAIT, f"the transform job {job.name} is {job.status}", job.name, package)


def input_of(target: DeploymentTarget) -> str:
    """Return the URI of the input."""
    uri: str = target.batch["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"]
    return uri
