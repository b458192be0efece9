"""ClarifyCheck: a Clarify processing job that compares with a baseline."""

from __future__ import annotations

from pipelines.steptypes import processing_job
from pipelines.steptypes.checks import (
    CHECK_KEYS,
    CHECK_PERMISSIONS,
    CHECK_RESOURCE,
    CHECK_SHAPES,
    properties,
)
from pipelines.steptypes.steptype import Cache, StepKey, StepType

STEP_TYPE = StepType(
    name="ClarifyCheck",
    request="CreateProcessingJobRequest",
    describe="ClarifyCheckProperties",
    supplied=("ProcessingJobName",),
    step_keys=(*CHECK_KEYS, StepKey("ModelName", "CheckText")),
    cache=Cache(),
    permissions=CHECK_PERMISSIONS,
    job_roles=("RoleArn",),
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
    one_of=processing_job.ONE_OF,
    strings=processing_job.STRINGS,
    limits=processing_job.LIMITS,
    rules=processing_job.RULES,
    resource=CHECK_RESOURCE,
    clusters=processing_job.CLUSTERS,
    inputs=processing_job.INPUTS,
    outputs=processing_job.OUTPUTS,
)
