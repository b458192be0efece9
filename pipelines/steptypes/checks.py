"""What Processing, QualityCheck and ClarifyCheck share: a processing job, and baselines."""

from __future__ import annotations

from typing import Final

from pipelines.json_types import JsonObject
from pipelines.steptypes.steptype import StepKey

PROCESSING_ONE_OF: Final = (
    ("ProcessingResources.ClusterConfig", ("InstanceType", "InstancePreferences")),
    ("ProcessingResources.ClusterConfig", ("InstanceCount", "InstancePreferences")),
    ("ProcessingInputs.*", ("S3Input", "DatasetDefinition")),
    ("ProcessingOutputConfig.Outputs.*", ("S3Output", "FeatureStoreOutput")),
)
"""What any processing job needs one of."""

CHECK_KEYS: Final = (
    StepKey("CheckType", "CheckType", required=True),
    StepKey("ModelPackageGroupName", "CheckText"),
    StepKey("SkipCheck", "CheckFlag"),
    StepKey("FailOnViolation", "CheckFlag"),
    StepKey("RegisterNewBaseline", "CheckFlag"),
    StepKey("SuppliedBaselineConstraints", "CheckText"),
)

CHECK_SHAPES: Final[dict[str, JsonObject]] = {
    "CheckText": {"type": "string"},
    "CheckFlag": {"type": "boolean"},
}

CHECK_PERMISSIONS: Final = (
    "sagemaker:CreateProcessingJob",
    "sagemaker:DescribeProcessingJob",
    "sagemaker:StopProcessingJob",
    "sagemaker:AddTags",
    "sagemaker:ListModelPackages",
    "sagemaker:DescribeModelPackage",
    "iam:PassRole",
)


def properties(*members: str) -> JsonObject:
    """Return the shape of a check's properties, all of them S3 URIs."""
    return {"type": "structure", "members": {name: {"shape": "CheckText"} for name in members}}
