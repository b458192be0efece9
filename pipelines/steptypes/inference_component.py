"""InferenceComponent: a CreateInferenceComponent request."""

from __future__ import annotations

from pipelines.steptypes.steptype import Resource, StepType

STEP_TYPE = StepType(
    name="InferenceComponent",
    request="CreateInferenceComponentInput",
    describe="DescribeInferenceComponentOutput",
    permissions=(
        "sagemaker:CreateInferenceComponent",
        "sagemaker:UpdateInferenceComponent",
        "sagemaker:DescribeInferenceComponent",
        "sagemaker:DescribeEndpoint",
        "sagemaker:AddTags",
    ),
    resource=Resource(
        noun="inference-component", name="InferenceComponentName", arn="InferenceComponentArn"
    ),
)
