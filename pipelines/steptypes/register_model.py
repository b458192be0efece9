"""RegisterModel: a CreateModelPackage request."""

from __future__ import annotations

from pipelines.steptypes.steptype import STEP_FAULTS, Resource, StepType, on

STEP_TYPE = StepType(
    name="RegisterModel",
    request="CreateModelPackageInput",
    describe="DescribeModelPackageOutput",
    supplied=("ModelPackageName",),
    refused=("CertifyForMarketplace",),  # "will cause rejection", SDK mlops/workflow/model_step.py
    retry_types=STEP_FAULTS,
    permissions={
        **on("model-package", "CreateModelPackage", "DescribeModelPackage"),
        **on("model-package-group", "CreateModelPackageGroup", "DescribeModelPackageGroup"),
        "sagemaker:AddTags": ("model-package", "model-package-group"),
        "s3:GetObject": ("named",),  # the service reads archive and metrics as its caller
        "s3:ListBucket": ("named",),
        # It looks up the image's digest (policy AmazonSageMakerModelRegistryFullAccess of AWS).
        "ecr:BatchGetImage": ("images",),
        "ecr:DescribeImages": ("images",),
    },
    # The registry numbers it: model-package/<group>/<number>.
    resource=Resource(noun="model-package"),
    symbol="store",
)
