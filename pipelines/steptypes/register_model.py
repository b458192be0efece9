"""RegisterModel: a CreateModelPackage request."""

from __future__ import annotations

from pipelines.steptypes.steptype import STEP_FAULTS, Resource, StepType

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
    # The registry numbers it: model-package/<group>/<number>.
    resource=Resource(noun="model-package"),
    symbol="store",
)
