"""Endpoint: creates an endpoint, or updates the one of that name."""

from __future__ import annotations

from pipelines.steptypes.steptype import Cache, Resource, StepType

STEP_TYPE = StepType(
    name="Endpoint",
    request="CreateEndpointInput",
    describe="DescribeEndpointOutput",
    aliases=("CreateEndpoint",),
    cache=Cache(),
    permissions=(
        "sagemaker:CreateEndpoint",
        "sagemaker:UpdateEndpoint",
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        "sagemaker:DescribeModel",
        "sagemaker:AddTags",
    ),
    resource=Resource(noun="endpoint", name="EndpointName", arn="EndpointArn"),
    keeps="EndpointName",
)
