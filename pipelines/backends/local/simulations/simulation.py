"""What a simulation declares, and what it knows of the execution that it happens in."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from pipelines import steptypes
from pipelines.execution.schedule import ScheduledStep
from pipelines.frozen import frozen
from pipelines.grammar.functions import with_parameters
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import StepType


@frozen
class PlannedStep:
    """A step that is to run, with the parameters in its arguments replaced as far as known."""

    name: str
    type: StepType
    arguments: JsonObject


@frozen
class Simulation:
    """Something that happens in an account and never by itself on one machine.

    Args:
        argument: what stands after the colon, in capitals.
        noun: what that is, with its article.
        cases: returns what may stand there in an execution, each with the steps that it concerns.
    """

    argument: str
    noun: str
    cases: Callable[[tuple[PlannedStep, ...]], Mapping[str, Collection[str]]]


def planned(
    steps: Mapping[str, ScheduledStep], parameters: Mapping[str, Json]
) -> tuple[PlannedStep, ...]:
    """Return the steps of known Types."""
    found = ((one, steptypes.find(one.type)) for one in steps.values())
    return tuple(
        PlannedStep(one.name, known, with_parameters(one.step.get("Arguments") or {}, parameters))
        for one, known in found
        if known is not None
    )
