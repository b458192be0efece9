"""Model: a CreateModel request."""

from __future__ import annotations

from pipelines.steptypes.steptype import STEP_FAULTS, Resource, StepType, on

STEP_TYPE = StepType(
    name="Model",
    request="CreateModelInput",
    describe="DescribeModelOutput",
    aliases=("CreateModel",),
    supplied=("ModelName",),
    retry_types=STEP_FAULTS,
    permissions={
        **on("model", "CreateModel", "DescribeModel", "AddTags"),
        "iam:PassRole": ("role",),
    },
    resource=Resource(noun="model", name="ModelName", arn="ModelArn"),
    one_of=(
        ("", ("PrimaryContainer", "Containers")),
        ("PrimaryContainer", ("Image", "ModelPackageName")),
        ("Containers.*", ("Image", "ModelPackageName")),
    ),
)
