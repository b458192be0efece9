"""What QualityCheck and ClarifyCheck share: keys of the step, and baselines."""

from __future__ import annotations

from typing import Final

from pipelines.json_types import JsonObject
from pipelines.steptypes import processing_job
from pipelines.steptypes.steptype import Resource, StepKey, job_grants

CHECK_KEYS: Final = (
    StepKey("CheckType", "CheckType", required=True),
    StepKey("ModelPackageGroupName", "CheckText"),
    StepKey("SkipCheck", "CheckFlag"),
    StepKey("FailOnViolation", "CheckFlag"),
    StepKey("RegisterNewBaseline", "CheckFlag"),
    StepKey("SuppliedBaselineConstraints", "CheckText"),
)

CHECK_RESOURCE: Final = Resource(
    noun="processing-job", listed="CheckJobArn", log_group=processing_job.LOG_GROUP
)

CHECK_SHAPES: Final[dict[str, JsonObject]] = {
    "CheckText": {"type": "string"},
    "CheckFlag": {"type": "boolean"},
}

CHECK_PERMISSIONS: Final = {
    **job_grants("processing-job", "ProcessingJob"),
    "sagemaker:ListModelPackages": ("model-package/*", "model-package-group/*"),
    "sagemaker:DescribeModelPackage": ("model-package/*",),
}


def properties(*members: str) -> JsonObject:
    """Return the shape of a check's properties, all of them S3 URIs."""
    return {"type": "structure", "members": {name: {"shape": "CheckText"} for name in members}}
