"""Tuning jobs: created, described, listed and stopped like other jobs, and their training jobs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipelines.backends.local.jobs.kind import require_kind
from pipelines.backends.local.jobs.tuning.trials import Trial, trials_of
from pipelines.backends.local.operations.jobs import JobOperations, timed
from pipelines.backends.local.operations.operation import operation
from pipelines.backends.local.operations.requests import SortKey, page
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject

_TYPE = "Tuning"
_BY_VALUE = "FinalObjectiveMetricValue"


@frozen
class TuningJobOperations(JobOperations):
    """The operations on tuning jobs."""

    @operation("CreateHyperParameterTuningJob")
    def create_hyper_parameter_tuning_job(self, **request: Json) -> JsonObject:
        """Create a tuning job and start it."""
        return self._create(_TYPE, request)

    @operation("DescribeHyperParameterTuningJob")
    def describe_hyper_parameter_tuning_job(self, **request: Json) -> JsonObject:
        """Return a tuning job."""
        response = self._describe(_TYPE, request)
        return {key: value for key, value in response.items() if key != "TrainingJobSummaries"}

    @operation("ListHyperParameterTuningJobs")
    def list_hyper_parameter_tuning_jobs(self, **request: Json) -> JsonObject:
        """List tuning jobs, by their names unless asked otherwise (API)."""
        return self._list(_TYPE, {"SortBy": "Name", **request})

    @operation("StopHyperParameterTuningJob")
    def stop_hyper_parameter_tuning_job(self, **request: Json) -> JsonObject:
        """Ask a tuning job to end, and its training jobs with it."""
        return self._stop(_TYPE, request)

    @operation("ListTrainingJobsForHyperParameterTuningJob")
    def list_training_jobs_for_hyper_parameter_tuning_job(self, **request: Json) -> JsonObject:
        """List the training jobs of a tuning job.

        Sorted by the objective, those without a value are left out (API).
        """
        kind = require_kind(_TYPE)
        job = self._require(kind, request, kind.absent)
        by, status = request.get("SortBy"), request.get("StatusEquals")
        found = [
            one
            for one in trials_of(job.request, self.jobs.children(job))
            if status in (None, str(one.job.state.status))
            and (by != _BY_VALUE or one.value is not None)
        ]
        rows, token = page(found, SortKey[Trial](_sort_key(by), "Ascending"), request)
        return {"TrainingJobSummaries": [timed(one.summary()) for one in rows], **token}


def _sort_key(by: Json) -> Callable[[Trial], Sequence[str | float]]:
    match by:
        case "CreationTime":
            return lambda one: (one.job.created, one.job.name)
        case "Status":
            return lambda one: (str(one.job.state.status), one.job.name)
        case "FinalObjectiveMetricValue":
            return lambda one: (one.value or 0.0, one.job.name)
        case _:
            return lambda one: (one.job.name,)
