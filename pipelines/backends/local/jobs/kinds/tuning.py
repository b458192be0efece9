"""Hyperparameter tuning jobs, which start training jobs, one after the other or several at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.kind import CONTINUES, JobKind
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.jobs.tuning.loop import TuningLoop
from pipelines.backends.local.jobs.tuning.plan import read_plan
from pipelines.backends.local.jobs.tuning.trials import counted
from pipelines.extras import how_to_install, missing
from pipelines.steptypes.tuning import STEP_TYPE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.backends.local.jobs.kind import JobOrder
    from pipelines.backends.local.jobs.states import JobOutcome
    from pipelines.backends.local.state.jobs import JobRecord
    from pipelines.json_types import JsonObject


def _run(order: JobOrder) -> JobOutcome:
    if order.children is None:
        raise TypeError("a tuning job runs in the job service alone")
    if missing("tuning"):
        raise JobRefusedError(
            "a tuning job on this machine needs Optuna, which is not installed",
            how_to_install("tuning"),
        )
    plan = read_plan(order.request, order.identity.name)
    taken = [note for one in plan.definitions for note in one.instances(order.settings).notes]
    end = TuningLoop(order, plan, order.children).run()
    return replace(end, notes=(*dict.fromkeys(taken), *end.notes))


def _describe(job: JobRecord) -> JsonObject:
    state = job.state
    ended = {} if state.ended is None else {"HyperParameterTuningEndTime": state.ended}
    seconds = int((state.ended or state.modified) - state.created)
    return {
        "LastModifiedTime": state.modified,
        "ConsumedResources": {"RuntimeInSeconds": seconds},
        **ended,
    }


def _of_children(job: JobRecord, children: Sequence[JobRecord]) -> JsonObject:
    return counted(job.request, children)


KIND = JobKind(
    type=STEP_TYPE,
    run=_run,
    describe=_describe,
    hidden=("Tags", CONTINUES),
    listed=(
        "HyperParameterTuningJobConfig.Strategy",
        "HyperParameterTuningJobConfig.ResourceLimits",
        "TrainingJobStatusCounters",
        "ObjectiveStatusCounters",
    ),
    of_children=_of_children,
    children="Training",
    event="HyperParameter Tuning",
    absent="Amazon SageMaker can't find a tuning job with the name {name}.",
    unstoppable="Amazon SageMaker can't find a tuning job with the name {name}.",
    missing="ResourceNotFound",
)
