"""Condition: holds conditions and the steps of its two branches; starts no job."""

from __future__ import annotations

from typing import Final

from pipelines.steptypes.steptype import NestedSteps, StepType

IF_STEPS: Final = NestedSteps("IfSteps", "then", outcome="True")
ELSE_STEPS: Final = NestedSteps("ElseSteps", "else", outcome="False")

STEP_TYPE = StepType(
    name="Condition",
    request=None,
    describe="ConditionProperties",
    holds=(IF_STEPS, ELSE_STEPS),
    in_body=False,
    symbol="decision",
    own_shapes={
        "ConditionProperties": {
            "type": "structure",
            "members": {"Outcome": {"shape": "Outcome"}},
        },
        "Outcome": {"type": "any"},
    },
)
