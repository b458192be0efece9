"""InferenceComponent: a CreateInferenceComponent request."""

from __future__ import annotations

from pipelines.steptypes.steptype import Resource, StepType, on

STEP_TYPE = StepType(
    name="InferenceComponent",
    request="CreateInferenceComponentInput",
    describe="DescribeInferenceComponentOutput",
    permissions={
        **on(
            "inference-component",
            "UpdateInferenceComponent",
            "DescribeInferenceComponent",
            "AddTags",
        ),
        "sagemaker:CreateInferenceComponent": ("endpoint", "inference-component"),
        "sagemaker:DescribeEndpoint": ("endpoint",),
    },
    resource=Resource(
        noun="inference-component", name="InferenceComponentName", arn="InferenceComponentArn"
    ),
)
