"""EndpointConfig: a CreateEndpointConfig request."""

from __future__ import annotations

from pipelines.steptypes.steptype import JOB_FAULTS, StepType

STEP_TYPE = StepType(
    name="EndpointConfig",
    request="CreateEndpointConfigInput",
    describe="DescribeEndpointConfigOutput",
    supplied=("EndpointConfigName",),
    cacheable=True,
    retry_types=JOB_FAULTS,
    permissions=(
        "sagemaker:CreateEndpointConfig",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:AddTags",
        "iam:PassRole",
    ),
)
