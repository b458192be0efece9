"""The training jobs of a tuning job → what the service says of them: summaries and counts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from pipelines.backends.local.jobs.states import JobStatus
from pipelines.backends.local.jobs.tuning.plan import definitions_of
from pipelines.frozen import frozen
from pipelines.json_types import JsonObject
from pipelines.steptypes.places import value_at
from pipelines.steptypes.tuning_job import CONFIG, RANGES

if TYPE_CHECKING:
    from pipelines.backends.local.state.jobs import JobRecord

DEFINITION: Final = "TrainingJobDefinitionName"
"""In the results of a training job: the definition that it is of."""

PARENT: Final = "TuningJobArn"
_DESCRIBED: Final = 50
_FAULT: Final = "InternalServerError"


@frozen
class Trial:
    """A training job, as one of a tuning job.

    Args:
        job: the training job.
        names: the hyperparameters that are searched.
        metric: its objective.
        maximize: whether that is to be great.
    """

    job: JobRecord
    names: tuple[str, ...]
    metric: str
    maximize: bool

    @property
    def tuned(self) -> dict[str, str]:
        """What it tries."""
        given = self.job.request.get("HyperParameters") or {}
        return {name: given[name] for name in self.names if name in given}

    @property
    def value(self) -> float | None:
        """The value of its objective; None where it has none, or has failed."""
        if self.job.state.is_open or self.job.state.status is JobStatus.FAILED:
            return None
        for one in self.job.results.get("FinalMetricDataList") or ():
            if one["MetricName"] == self.metric and math.isfinite(one["Value"]):
                return float(one["Value"])
        return None

    @property
    def seconds(self) -> float:
        """How long it took; 0 while it runs."""
        return 0.0 if self.job.state.ended is None else self.job.state.ended - self.job.created

    @property
    def rank(self) -> float:
        """What orders trials: the least is the best one."""
        value = self.value
        return math.inf if value is None else -value if self.maximize else value

    @property
    def objective_status(self) -> str:
        """`Succeeded`, `Pending` or `Failed`."""
        if self.job.state.is_open:
            return "Pending"
        return "Failed" if self.value is None else "Succeeded"

    @property
    def outcome(self) -> str:
        """What it counts as."""
        state = self.job.state
        if state.is_open:
            return "InProgress"
        if state.status is JobStatus.FAILED:
            return "RetryableError" if str(state.reason).startswith(_FAULT) else "NonRetryableError"
        return str(state.status)

    def summary(self) -> JsonObject:
        """Return its entry in ListTrainingJobsForHyperParameterTuningJob."""
        job, state, value = self.job, self.job.state, self.value
        kind = {"Type": "Maximize" if self.maximize else "Minimize"}
        final = None if value is None else {**kind, "MetricName": self.metric, "Value": value}
        found = {
            DEFINITION: job.results.get(DEFINITION),
            "TrainingJobName": job.name,
            "TrainingJobArn": job.arn,
            "CreationTime": job.created,
            "TrainingStartTime": state.started,
            "TrainingEndTime": state.ended,
            "TrainingJobStatus": str(state.status),
            "TunedHyperParameters": self.tuned,
            "FailureReason": state.reason,
            "FinalHyperParameterTuningJobObjectiveMetric": final,
            "ObjectiveStatus": self.objective_status,
        }
        return {name: value for name, value in found.items() if value is not None}


def trials_of(request: JsonObject, jobs: Iterable[JobRecord]) -> Iterator[Trial]:
    """Yield training jobs as the trials of the tuning job that a request created."""
    known = {one.get("DefinitionName"): (one, goal) for one, goal in definitions_of(request)}
    shared = value_at(request, f"{CONFIG}.ParameterRanges")
    for job in jobs:
        definition, goal = known.get(job.results.get(DEFINITION)) or next(iter(known.values()))
        space = definition.get("HyperParameterRanges") or shared or {}
        names = tuple(one["Name"] for member in RANGES for one in space.get(member) or ())
        yield Trial(job, names, goal["MetricName"], goal["Type"] == "Maximize")


def ranked(trials: Iterable[Trial]) -> list[Trial]:
    """Order the trials that have a value, the best one first; of equals the first to begin."""
    known = (one for one in trials if one.value is not None)
    return sorted(known, key=lambda one: (one.rank, one.job.created, one.job.name))


def overall(trials: Iterable[Trial]) -> JsonObject:
    """Return what a Describe has of the best one of this tuning job and of its parents."""
    for best in ranked(trials)[:1]:
        parent = str(best.job.results.get(PARENT, "")).rpartition("/")[2]
        return {"OverallBestTrainingJob": {**best.summary(), "TuningJobName": parent}}
    return {}


def counted(request: JsonObject, jobs: Sequence[JobRecord]) -> JsonObject:
    """Return what a tuning job's Describe has of its training jobs."""
    trials = [*trials_of(request, jobs)]
    outcomes = Counter(one.outcome for one in trials)
    objectives = Counter(one.objective_status for one in trials)
    best = [one.summary() for one in ranked(trials)]
    kinds = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
    return {
        "TrainingJobStatusCounters": {kind: outcomes[kind] for kind in kinds},
        "ObjectiveStatusCounters": {
            kind: objectives[kind] for kind in ("Succeeded", "Pending", "Failed")
        },
        **({"BestTrainingJob": best[0]} if best else {}),
        "TrainingJobSummaries": best[:_DESCRIBED],
    }
