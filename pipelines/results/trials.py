"""The jobs that a step tried to find the best: what each was given, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from pipelines.execution.caller import CallRefusedError
from pipelines.execution.trials import find_trying
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.results.run import ExecutionResult
from pipelines.results.source import ResultSource


@frozen
class Tried:
    """One job that a step tried.

    Args:
        name: the job's name.
        status: its status.
        tuned: its hyperparameters.
        value: the value of its objective; None where it has none.
        seconds: how long it ran; None while it runs, and where it never did.
    """

    name: str
    status: str
    tuned: dict[str, str]
    value: float | None
    seconds: float | None


@frozen
class TriedJobs:
    """All jobs that a step tried, in the order in which they began.

    Args:
        step: the step.
        metric: the objective.
        goal: Maximize or Minimize.
        jobs: the jobs.
    """

    step: str
    metric: str
    goal: str
    jobs: tuple[Tried, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The hyperparameters that differ."""
        return tuple(dict.fromkeys(name for one in self.jobs for name in one.tuned))

    @property
    def best(self) -> Tried | None:
        """The best one; None where none has a value."""
        return next(iter(self.ranked), None)

    @property
    def ranked(self) -> tuple[Tried, ...]:
        """The best first, those without a value last."""
        sign = -1 if self.goal == "Maximize" else 1
        return tuple(
            sorted(self.jobs, key=lambda one: (one.value is None, sign * (one.value or 0.0)))
        )


def tried_in(source: ResultSource, run: ExecutionResult) -> Iterator[TriedJobs]:
    """Yield what each step of an execution tried; one whose jobs are gone is left out."""
    for step in run.steps:
        if step.type is None or step.type.trials is None:
            continue
        try:
            yield _tried(source, step.name, step.listed)
        except CallRefusedError as error:
            if not (error.is_missing or error.is_denied or error.code == "ValidationException"):
                raise


def _tried(source: ResultSource, step: str, listed: JsonObject) -> TriedJobs:
    job = find_trying(source.caller, listed.get("Metadata"))
    if job is None:
        return TriedJobs(step, "", "", ())
    given = {job.member: job.name, "SortBy": "CreationTime", "SortOrder": "Ascending"}
    operation, member = job.trials.operation, job.trials.member
    found = source.caller.pages("sagemaker", operation, member, **given)
    return TriedJobs(step, *job.objective, tuple(map(_one, found)))


def _one(summary: JsonObject) -> Tried:
    final = summary.get("FinalHyperParameterTuningJobObjectiveMetric") or {}
    began: Json = summary.get("TrainingStartTime")
    ended: Json = summary.get("TrainingEndTime")
    both = isinstance(began, datetime) and isinstance(ended, datetime)
    seconds = (ended - began).total_seconds() if both else None
    return Tried(
        str(summary["TrainingJobName"]),
        str(summary["TrainingJobStatus"]),
        dict(summary.get("TunedHyperParameters") or {}),
        None if final.get("Value") is None else float(final["Value"]),
        seconds,
    )
