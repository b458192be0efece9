"""Model: a CreateModel request."""

from __future__ import annotations

from pipelines.steptypes.steptype import STEP_FAULTS, StepType

STEP_TYPE = StepType(
    name="Model",
    request="CreateModelInput",
    describe="DescribeModelOutput",
    supplied=("ModelName",),
    retry_types=STEP_FAULTS,
    permissions=(
        "sagemaker:CreateModel",
        "sagemaker:DescribeModel",
        "sagemaker:AddTags",
        "iam:PassRole",
    ),
    one_of=(
        ("", ("PrimaryContainer", "Containers")),
        ("PrimaryContainer", ("Image", "ModelPackageName")),
        ("Containers.*", ("Image", "ModelPackageName")),
    ),
)
