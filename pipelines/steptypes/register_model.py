"""RegisterModel: a CreateModelPackage request."""

from __future__ import annotations

from pipelines.steptypes.steptype import STEP_FAULTS, StepType

STEP_TYPE = StepType(
    name="RegisterModel",
    request="CreateModelPackageInput",
    describe="DescribeModelPackageOutput",
    supplied=("ModelPackageName",),
    retry_types=STEP_FAULTS,
    permissions=(
        "sagemaker:CreateModelPackage",
        "sagemaker:CreateModelPackageGroup",
        "sagemaker:DescribeModelPackage",
        "sagemaker:DescribeModelPackageGroup",
        "sagemaker:AddTags",
    ),
)
