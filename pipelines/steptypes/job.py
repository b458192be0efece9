"""Job: a CreateJob request, whose parameters travel as one JSON text."""

from __future__ import annotations

from pipelines.steptypes.steptype import JOB_FAULTS, Cache, Resource, StepType, job_grants

STEP_TYPE = StepType(
    name="Job",
    request="JobArguments",
    describe="JobProperties",
    supplied=("JobName",),
    cache=Cache(),
    retry_types=JOB_FAULTS,
    permissions=job_grants("job", "Job"),
    # Developer guide, "Multi-turn RL", prerequisites: not to sagemaker.amazonaws.com.
    passes_to=("job.sagemaker.amazonaws.com",),
    # Its ARN holds its category, too: job/<category>/<name>.
    resource=Resource(noun="job", name="JobName"),
    billed_for="the job",
    own_shapes={
        # SDK train/evaluate/mtrl_pipeline_templates.py writes a network that the API's model lacks.
        "JobArguments": {
            "type": "structure",
            "like": "CreateJobRequest",
            "members": {"VpcConfig": {"shape": "VpcConfig"}},
        },
        # A reference may go on below the document, which the service parses (SDK JobStep).
        "JobProperties": {
            "type": "structure",
            "like": "DescribeJobResponse",
            "members": {"JobConfigDocument": {"shape": "OpenDocument"}},
        },
        "OpenDocument": {"type": "any"},
    },
)
