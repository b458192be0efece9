"""Endpoint: creates an endpoint, or updates the one of that name."""

from __future__ import annotations

from pipelines.steptypes.steptype import Cache, Resource, StepType, on

STEP_TYPE = StepType(
    name="Endpoint",
    request="CreateEndpointInput",
    describe="DescribeEndpointOutput",
    aliases=("CreateEndpoint",),
    refused=("DeploymentConfig",),  # SDK v2 workflow/endpoint_step.py
    cache=Cache(),
    permissions={
        **on("endpoint", "CreateEndpoint", "UpdateEndpoint", "DescribeEndpoint", "AddTags"),
        "sagemaker:CreateEndpoint": ("endpoint", "endpoint-config/*"),
        "sagemaker:UpdateEndpoint": ("endpoint", "endpoint-config/*"),
        "sagemaker:DescribeEndpointConfig": ("endpoint-config/*",),
        "sagemaker:DescribeModel": ("model/*",),
    },
    resource=Resource(noun="endpoint", name="EndpointName", arn="EndpointArn"),
    keeps="EndpointName",
)
