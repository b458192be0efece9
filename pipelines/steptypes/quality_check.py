"""QualityCheck: a Model Monitor processing job that compares with a baseline."""

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
    name="QualityCheck",
    request="CreateProcessingJobRequest",
    describe="QualityCheckProperties",
    supplied=("ProcessingJobName",),
    step_keys=(*CHECK_KEYS, StepKey("SuppliedBaselineStatistics", "CheckText")),
    cache=Cache(),
    permissions=CHECK_PERMISSIONS,
    job_roles=("RoleArn",),
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
    one_of=processing_job.ONE_OF,
    strings=processing_job.STRINGS,
    limits=processing_job.LIMITS,
    rules=processing_job.RULES,
    resource=CHECK_RESOURCE,
    clusters=processing_job.CLUSTERS,
    inputs=processing_job.INPUTS,
    outputs=processing_job.OUTPUTS,
)
