"""Tuning: a CreateHyperParameterTuningJob request; its best jobs are `TrainingJobSummaries`."""

from __future__ import annotations

from pipelines.steptypes.steptype import JOB_FAULTS, StepType

STEP_TYPE = StepType(
    name="Tuning",
    request="CreateHyperParameterTuningJobRequest",
    describe="TuningProperties",
    supplied=("HyperParameterTuningJobName",),
    cacheable=True,
    cache_key=(
        "HyperParameterTuningJobConfig",
        "TrainingJobDefinition.AlgorithmSpecification",
        "TrainingJobDefinition.HyperParameterRanges",
        "TrainingJobDefinition.InputDataConfig",
        "TrainingJobDefinition.StaticHyperParameters",
        "TrainingJobDefinition.TuningObjective",
        "TrainingJobDefinitions",
    ),
    retry_types=JOB_FAULTS,
    permissions=(
        "sagemaker:CreateHyperParameterTuningJob",
        "sagemaker:DescribeHyperParameterTuningJob",
        "sagemaker:StopHyperParameterTuningJob",
        "sagemaker:ListTrainingJobsForHyperParameterTuningJob",
        "sagemaker:CreateTrainingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    ),
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
)
