"""Processing: a CreateProcessingJob request and the property files read out of its outputs."""

from __future__ import annotations

from pipelines.steptypes.checks import PROCESSING_ONE_OF
from pipelines.steptypes.steptype import JOB_FAULTS, StepKey, StepType

STEP_TYPE = StepType(
    name="Processing",
    request="CreateProcessingJobRequest",
    describe="DescribeProcessingJobResponse",
    supplied=("ProcessingJobName",),
    step_keys=(StepKey("PropertyFiles", "PropertyFileList"),),
    cacheable=True,
    cache_key=("AppSpecification", "Environment", "ProcessingInputs"),
    retry_types=JOB_FAULTS,
    permissions=(
        "sagemaker:CreateProcessingJob",
        "sagemaker:DescribeProcessingJob",
        "sagemaker:StopProcessingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    ),
    own_shapes={
        "PropertyFileList": {"type": "list", "member": {"shape": "PropertyFile"}},
        "PropertyFile": {
            "type": "structure",
            "required": ["PropertyFileName", "OutputName", "FilePath"],
            "members": {
                "PropertyFileName": {"shape": "PropertyFileText"},
                "OutputName": {"shape": "PropertyFileText"},
                "FilePath": {"shape": "PropertyFileText"},
            },
        },
        "PropertyFileText": {"type": "string", "min": 1},
    },
    one_of=PROCESSING_ONE_OF,
)
