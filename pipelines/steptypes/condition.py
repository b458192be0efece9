"""Condition: holds conditions and the steps of its two branches; starts no job."""

from __future__ import annotations

from pipelines.steptypes.steptype import NestedSteps, StepType

STEP_TYPE = StepType(
    name="Condition",
    request=None,
    describe="ConditionProperties",
    holds=(NestedSteps("IfSteps", outcome="True"), NestedSteps("ElseSteps", outcome="False")),
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
