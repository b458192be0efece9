"""AutoML: a CreateAutoMLJob request, mode ENSEMBLING only."""

from __future__ import annotations

from pipelines.steptypes.steptype import (
    JOB_FAULTS,
    JOB_INTERNAL_ERROR,
    Cache,
    DataPlace,
    Resource,
    StepType,
    job_grants,
)

STEP_TYPE = StepType(
    name="AutoML",
    request="CreateAutoMLJobRequest",
    describe="AutoMLProperties",
    supplied=("AutoMLJobName",),
    cache=Cache(
        key=(
            "AutoMLJobConfig.CompletionCriteria",
            "AutoMLJobConfig.CandidateGenerationConfig",
            "AutoMLJobConfig.DataSplitConfig",
            "AutoMLJobConfig.Mode",
            "AutoMLJobObjective",
            "InputDataConfig",
            "ProblemType",
        ),
    ),
    retry_types=JOB_FAULTS,
    retried_inside=(JOB_INTERNAL_ERROR,),
    permissions=job_grants("automl-job", "AutoMLJob"),
    job_roles=("RoleArn",),
    listed_as="AutoMLJob",
    resource=Resource(noun="automl-job", name="AutoMLJobName", arn="AutoMLJobArn"),
    billed_for="the jobs of AutoML",
    inputs=(
        DataPlace(
            at="InputDataConfig.*",
            named_by="ChannelType",
            name="training",
            uri="DataSource.S3DataSource.S3Uri",
        ),
    ),
    own_shapes={
        "AutoMLProperties": {
            "type": "structure",
            "like": "DescribeAutoMLJobResponse",
            "members": {"BestCandidateProperties": {"shape": "BestCandidateProperties"}},
        },
        # Two members of the SDK's AutoMLStep that no Describe response has.
        "BestCandidateProperties": {
            "type": "structure",
            "members": {
                "ModelInsightsJsonReportPath": {"shape": "ReportPath"},
                "ExplainabilityJsonReportPath": {"shape": "ReportPath"},
            },
        },
        "ReportPath": {"type": "string"},
    },
)
