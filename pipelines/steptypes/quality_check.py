"""QualityCheck: a Model Monitor processing job that compares with a baseline."""

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
    name="QualityCheck",
    request="CreateProcessingJobRequest",
    describe="QualityCheckProperties",
    supplied=("ProcessingJobName",),
    step_keys=(*CHECK_KEYS, StepKey("SuppliedBaselineStatistics", "CheckText")),
    cacheable=True,
    permissions=CHECK_PERMISSIONS,
    own_shapes={
        **CHECK_SHAPES,
        "CheckType": {"type": "string", "enum": ["DATA_QUALITY", "MODEL_QUALITY"]},
        "QualityCheckProperties": properties(
            "CalculatedBaselineConstraints",
            "CalculatedBaselineStatistics",
            "BaselineUsedForDriftCheckConstraints",
            "BaselineUsedForDriftCheckStatistics",
        ),
    },
    one_of=PROCESSING_ONE_OF,
)
