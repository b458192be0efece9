"""Callback: sends `Arguments` and a token to a queue and waits for somebody's answer."""

from __future__ import annotations

from pipelines.steptypes.outputs import OUTPUT_PARAMETERS, OUTPUT_SHAPES
from pipelines.steptypes.steptype import Cache, StepKey, StepType

STEP_TYPE = StepType(
    name="Callback",
    request="StepInputs",
    describe="OutputProperties",
    bare=True,
    step_keys=(
        StepKey("SqsQueueUrl", "SqsQueueUrl", required=True),
        OUTPUT_PARAMETERS,
    ),
    cache=Cache(),
    permissions={"sqs:SendMessage": ("=SqsQueueUrl",)},
    own_shapes={**OUTPUT_SHAPES, "SqsQueueUrl": {"type": "string", "min": 1}},
)
