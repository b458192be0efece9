"""Lambda: invokes a function with `Arguments` as its event; the answer's keys are outputs."""

from __future__ import annotations

from pipelines.steptypes.outputs import OUTPUT_PARAMETERS, OUTPUT_SHAPES
from pipelines.steptypes.steptype import Cache, StepKey, StepType

STEP_TYPE = StepType(
    name="Lambda",
    request="StepInputs",
    describe="OutputProperties",
    bare=True,
    step_keys=(
        StepKey("FunctionArn", "FunctionArn", required=True),
        OUTPUT_PARAMETERS,
    ),
    cache=Cache(),
    permissions={"lambda:InvokeFunction": ("=FunctionArn",)},
    own_shapes={**OUTPUT_SHAPES, "FunctionArn": {"type": "string", "min": 1}},
)
