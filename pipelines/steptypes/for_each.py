"""ForEach: runs its body once per item (SDK for_each_step.py)."""

from __future__ import annotations

from pipelines.steptypes.steptype import NestedSteps, StepType

_COUNTS = (
    "InputItemCount",
    "TotalStepCount",
    "SucceededStepCount",
    "FailedStepCount",
    "StoppedStepCount",
)

STEP_TYPE = StepType(
    name="ForEach",
    request="ForEachArguments",
    describe="ForEachProperties",
    holds=(NestedSteps("ForEachBody", "each"),),
    in_body=False,
    own_shapes={
        "ForEachArguments": {
            "type": "structure",
            "required": ["IterableItems", "MaxConcurrency", "ForEachBody"],
            "members": {
                "IterableItems": {"shape": "IterableItems"},
                "MaxConcurrency": {"shape": "MaxConcurrency"},
                "Selector": {"shape": "Selector"},
                "ForEachBody": {"shape": "ForEachBody"},
            },
        },
        # A list of at most 100 literals, or a function whose text is a JSON list.
        "IterableItems": {"type": "any"},
        "MaxConcurrency": {"type": "integer", "min": 1, "max": 50},
        "Selector": {
            "type": "structure",
            "required": ["Pick", "Field"],
            "members": {"Pick": {"shape": "Pick"}, "Field": {"shape": "Anything"}},
        },
        "Pick": {"type": "string", "enum": ["MaxBy", "MinBy"]},
        "ForEachBody": {"type": "list", "member": {"shape": "Anything"}, "min": 1},
        "Anything": {"type": "any"},
        "ForEachProperties": {
            "type": "structure",
            "members": {
                "IterationOutputs": {"shape": "IterationOutputs"},
                "Selected": {"shape": "Anything"},
                "Status": {"shape": "ForEachStatus"},
                **{name: {"shape": "ForEachCount"} for name in _COUNTS},
            },
        },
        "IterationOutputs": {"type": "list", "member": {"shape": "Anything"}},
        "ForEachStatus": {"type": "string"},
        "ForEachCount": {"type": "integer"},
    },
)
