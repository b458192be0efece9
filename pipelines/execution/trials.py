"""The trials of a step: the jobs that its job starts to compare them."""

from __future__ import annotations

from pipelines.execution.caller import Caller
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import find_listed
from pipelines.steptypes.trials import Trials


@frozen
class TryingJob:
    """A job that tries.

    Args:
        trials: how it is told of.
        name: its name, and `member`, which names it in a request.
        described: its Describe response.
        metrics: its metrics, as a reference names them below the step.
    """

    trials: Trials
    name: str
    member: str
    described: JsonObject
    metrics: dict[str, float]

    @property
    def objective(self) -> tuple[str, str]:
        """The metric that its jobs are compared by, and its goal."""
        return self.trials.objective(self.described)


def find_trying(caller: Caller, metadata: Json) -> TryingJob | None:
    """Describe the job of a step; None where it is not one that tries.

    Args:
        caller: where.
        metadata: `Metadata` of the step in ListPipelineExecutionSteps.

    Raises:
        CallRefusedError: it cannot be read.
    """
    for listed, one in (metadata or {}).items():
        known = find_listed(listed)
        resource = known.resource if known is not None else None
        if known is None or known.trials is None or resource is None or resource.name is None:
            continue
        name = str(one.get(resource.listed) or "").rpartition("/")[2]
        if name:
            described = caller.call("sagemaker", resource.describe, **{resource.name: name})
            metrics = known.metrics_of(described)
            return TryingJob(known.trials, name, resource.name, described, metrics)
    return None
