"""Tuning: a CreateHyperParameterTuningJob request; its best jobs are `TrainingJobSummaries`."""

from __future__ import annotations

from pipelines.steptypes import training_job
from pipelines.steptypes.clusters import count_limit, instances_rule, volume_limit
from pipelines.steptypes.steptype import JOB_FAULTS, Cache, Resource, StepType, on

_JOBS = ("TrainingJobDefinition", "TrainingJobDefinitions.*")
_PARALLEL = "HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs"
_TOTAL = "HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs"

STEP_TYPE = StepType(
    name="Tuning",
    request="CreateHyperParameterTuningJobRequest",
    describe="TuningProperties",
    aliases=("HyperParameterTuning",),
    supplied=("HyperParameterTuningJobName",),
    cache=Cache(
        key=(
            "HyperParameterTuningJobConfig",
            "TrainingJobDefinition.AlgorithmSpecification",
            "TrainingJobDefinition.HyperParameterRanges",
            "TrainingJobDefinition.InputDataConfig",
            "TrainingJobDefinition.StaticHyperParameters",
            "TrainingJobDefinition.TuningObjective",
            "TrainingJobDefinitions",
        ),
    ),
    retry_types=JOB_FAULTS,
    permissions={
        **on(
            "hyper-parameter-tuning-job",
            "CreateHyperParameterTuningJob",
            "DescribeHyperParameterTuningJob",
            "StopHyperParameterTuningJob",
            "ListTrainingJobsForHyperParameterTuningJob",
        ),
        # The service names its training jobs by the tuning job.
        "sagemaker:CreateTrainingJob": ("training-job/*",),
        "sagemaker:AddTags": ("hyper-parameter-tuning-job", "training-job/*"),
        "iam:PassRole": ("role",),
    },
    job_roles=tuple(f"{job}.RoleArn" for job in _JOBS),
    own_shapes={
        "TuningProperties": {
            "type": "structure",
            "like": "DescribeHyperParameterTuningJobResponse",
            "members": {
                "TrainingJobSummaries": {"shape": "BestTrainingJobs"},
            },
        },
        # Index 0 is the best job; the service keeps fifty (SDK TuningStep.get_top_model_s3_uri).
        "BestTrainingJobs": {
            "type": "list",
            "member": {"shape": "HyperParameterTrainingJobSummary"},
            "max": 50,
        },
    },
    one_of=(
        ("", ("TrainingJobDefinition", "TrainingJobDefinitions")),
        ("TrainingJobDefinition.AlgorithmSpecification", ("TrainingImage", "AlgorithmName")),
        ("TrainingJobDefinitions.*.AlgorithmSpecification", ("TrainingImage", "AlgorithmName")),
    ),
    strings=tuple(
        f"{job}.{member}" for job in _JOBS for member in ("StaticHyperParameters", "Environment")
    ),
    metrics=tuple(f"{job}.AlgorithmSpecification.MetricDefinitions.*.Regex" for job in _JOBS),
    limits=(
        count_limit(*(f"{job}.ResourceConfig.InstanceCount" for job in _JOBS)),
        volume_limit(*(f"{job}.ResourceConfig.VolumeSizeInGB" for job in _JOBS)),
    ),
    rules=(
        *training_job.rules(*_JOBS),
        instances_rule(*(f"{job}.HyperParameterTuningResourceConfig" for job in _JOBS)),
    ),
    listed_as="TuningJob",
    # Its training jobs' names begin with its own.
    resource=Resource(
        noun="hyper-parameter-tuning-job",
        name="HyperParameterTuningJobName",
        arn="HyperParameterTuningJobArn",
        log_group=training_job.LOG_GROUP,
    ),
    clusters=tuple(c for job in _JOBS for c in training_job.clusters(job, _PARALLEL, _TOTAL)),
    inputs=tuple(training_job.inputs(job) for job in _JOBS),
)
