"""A spec → the times at which its pipelines start by themselves, each with what it is called."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.frozen import frozen
from pipelines.spec.automation import Schedule
from pipelines.spec.model import PipelineSpec
from pipelines.spec.names import schedule_name, standing_alone
from pipelines.spec.values import scalar_text


@frozen
class Start:
    """A schedule of EventBridge Scheduler, and the pipeline that it starts.

    Args:
        name: its name in the account.
        pipeline: the pipeline.
        key: what it is called in the spec: its own name, or that of the step.
        schedule: when, and with which parameters.
        of_step: whether it is the step's.
    """

    name: str
    pipeline: str
    key: str
    schedule: Schedule
    of_step: bool = False

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of these starts, as the service gets them."""
        return {name: scalar_text(value) for name, value in self.schedule.parameters.items()}


def starts(spec: PipelineSpec) -> Iterator[Start]:
    """Yield the schedules of the pipeline, then those of its steps, which stand alone for that."""
    for key, schedule in spec.schedule.items():
        yield Start(schedule_name(spec.pipeline, key), spec.pipeline, key, schedule)
    for key, step in spec.steps.items():
        own = getattr(step, "schedule", None)
        if isinstance(own, Schedule):
            alone = standing_alone(spec.pipeline, key)
            yield Start(alone, alone, key, own, of_step=True)
