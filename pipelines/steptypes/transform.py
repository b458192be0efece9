"""Transform: a CreateTransformJob request."""

from __future__ import annotations

from pipelines.steptypes.steptype import JOB_FAULTS, StepType

STEP_TYPE = StepType(
    name="Transform",
    request="CreateTransformJobRequest",
    describe="DescribeTransformJobResponse",
    supplied=("TransformJobName",),
    cacheable=True,
    cache_key=("DataProcessing", "Environment", "ModelName", "TransformInput"),
    retry_types=JOB_FAULTS,
    permissions=(
        "sagemaker:CreateTransformJob",
        "sagemaker:DescribeTransformJob",
        "sagemaker:StopTransformJob",
        "sagemaker:AddTags",
    ),
)
