"""ClarifyCheck: a Clarify processing job that compares with a baseline."""

from __future__ import annotations

from pipelines.steptypes.checks import (
    CHECK_KEYS,
    CHECK_PERMISSIONS,
    CHECK_SHAPES,
    PROCESSING_ONE_OF,
    properties,
)
from pipelines.steptypes.steptype import StepKey, StepType

STEP_TYPE = StepType(
    name="ClarifyCheck",
    request="CreateProcessingJobRequest",
    describe="ClarifyCheckProperties",
    supplied=("ProcessingJobName",),
    step_keys=(*CHECK_KEYS, StepKey("ModelName", "CheckText")),
    cacheable=True,
    permissions=CHECK_PERMISSIONS,
    own_shapes={
        **CHECK_SHAPES,
        "CheckType": {
            "type": "string",
            "enum": ["DATA_BIAS", "MODEL_BIAS", "MODEL_EXPLAINABILITY"],
        },
        "ClarifyCheckProperties": properties(
            "CalculatedBaselineConstraints",
            "BaselineUsedForDriftCheckConstraints",
        ),
    },
    one_of=PROCESSING_ONE_OF,
)
