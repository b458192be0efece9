"""Condition: holds conditions and the steps of its two branches; starts no job."""

from __future__ import annotations

from pipelines.steptypes.steptype import StepType

STEP_TYPE = StepType(
    name="Condition",
    request=None,
    describe="ConditionProperties",
    own_shapes={
        "ConditionProperties": {
            "type": "structure",
            "members": {"Outcome": {"shape": "Outcome"}},
        },
        "Outcome": {"type": "any"},
    },
)
