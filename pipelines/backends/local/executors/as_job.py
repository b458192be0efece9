"""A step as a job: what every executor of a Type that creates one does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.backends.local.jobs.kind import JobOrder, require_kind
from pipelines.backends.local.jobs.running import JobPlace
from pipelines.backends.local.jobs.spec import JobIdentity
from pipelines.backends.local.jobs.states import JobStatus
from pipelines.execution.status import StepStatus

if TYPE_CHECKING:
    from pipelines.backends.local.jobs.states import JobOutcome, JobPhase


def run_as_job(type_name: str, call: StepCall) -> StepOutcome:
    """Create the job of a step and wait for its end."""
    kind = require_kind(type_name)
    place = JobPlace(call.settings, call.job_name, call.logs, call.stop)
    job = call.jobs.create(kind, call.job_name, call.arguments, place)
    end = job.wait()
    metadata = {kind.type.metadata: {kind.resource.listed: job.record.arn}}
    return StepOutcome(_status(end), job.described(), end.reason, metadata, end.fault, end.notes)


class _Unrecorded:
    """The progress of a job that nothing is recorded of."""

    def entered(self, phase: JobPhase) -> None:
        """Do nothing."""

    def tick(self) -> None:
        """Do nothing."""


def unrecorded(call: StepCall) -> JobOrder:
    """Return the job of a step as one that the job service does not know."""
    name = call.job_name
    identity = JobIdentity(name, call.settings.arn(f"job/{name}"), name)
    return JobOrder(identity, call.arguments, call.settings, call.logs, call.stop, _Unrecorded())


def _status(end: JobOutcome) -> StepStatus:
    """Return the status of the step; its job's time limit cut it off, and so it has failed."""
    match end.status:
        case JobStatus.COMPLETED:
            return StepStatus.SUCCEEDED
        case JobStatus.STOPPED if end.reason is None:
            return StepStatus.STOPPED
        case _:
            return StepStatus.FAILED
