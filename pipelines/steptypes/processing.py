"""Processing: a CreateProcessingJob request and the property files read out of its outputs."""

from __future__ import annotations

from pipelines.steptypes import processing_job
from pipelines.steptypes.steptype import JOB_FAULTS, Cache, Resource, StepKey, StepType, job_grants

STEP_TYPE = StepType(
    name="Processing",
    request="CreateProcessingJobRequest",
    describe="DescribeProcessingJobResponse",
    supplied=("ProcessingJobName",),
    step_keys=(StepKey("PropertyFiles", "PropertyFileList"),),
    cache=Cache(key=("AppSpecification", "Environment", "ProcessingInputs")),
    retry_types=JOB_FAULTS,
    permissions=job_grants("processing-job", "ProcessingJob"),
    job_roles=("RoleArn",),
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
    one_of=processing_job.ONE_OF,
    strings=processing_job.STRINGS,
    limits=processing_job.LIMITS,
    rules=processing_job.RULES,
    listed_as="ProcessingJob",
    resource=Resource(
        noun="processing-job",
        name="ProcessingJobName",
        arn="ProcessingJobArn",
        log_group=processing_job.LOG_GROUP,
    ),
    clusters=processing_job.CLUSTERS,
    inputs=processing_job.INPUTS,
    outputs=processing_job.OUTPUTS,
)
