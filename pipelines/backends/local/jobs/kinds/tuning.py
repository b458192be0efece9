"""Hyperparameter tuning jobs, which start training jobs, one after the other or several at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pipelines.backends.local.jobs.kind import CONTINUES, JobKind
from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.backends.local.jobs.states import JobPhase
from pipelines.backends.local.jobs.tuning.loop import TuningLoop
from pipelines.backends.local.jobs.tuning.plan import read_plan
from pipelines.backends.local.jobs.tuning.trials import counted
from pipelines.backends.local.simulations.kinds.interruption import INTERRUPTION
from pipelines.backends.local.simulations.kinds.max_wait import MAX_WAIT
from pipelines.extras import how_to_install, missing
from pipelines.steptypes.tuning import STEP_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pipelines.backends.local.jobs.kind import JobOrder
    from pipelines.backends.local.jobs.states import JobOutcome, Transition
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
    return replace(end, notes=(*dict.fromkeys(taken), *_interruptions(order), *end.notes))


def _interruptions(order: JobOrder) -> Iterator[str]:
    """Yield how many training jobs have lost their spot capacity, where that is simulated."""
    if order.children is None or not {INTERRUPTION, MAX_WAIT} & order.settings.simulated.keys():
        return
    jobs = order.children.of(order.identity.name) or []
    lost = [one for one in jobs if any(map(_is_interruption, one.state.transitions))]
    of_all = f"{len(lost)} of {len(jobs)} training jobs"
    yield f"simulated: spot capacity was taken away from {of_all}; their logs say what followed"


def _is_interruption(transition: Transition) -> bool:
    return transition.status == JobPhase.INTERRUPTED.value


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
