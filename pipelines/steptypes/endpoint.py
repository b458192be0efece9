"""Endpoint: creates an endpoint, or updates the one of that name."""

from __future__ import annotations

from pipelines.steptypes.steptype import StepType

STEP_TYPE = StepType(
    name="Endpoint",
    request="CreateEndpointInput",
    describe="DescribeEndpointOutput",
    cacheable=True,
    permissions=(
        "sagemaker:CreateEndpoint",
        "sagemaker:UpdateEndpoint",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:AddTags",
    ),
)
