"""Training: a CreateTrainingJob request; also what a notebook job and an `@step` compile to."""

from __future__ import annotations

from pipelines.steptypes.steptype import JOB_FAULTS, StepType

STEP_TYPE = StepType(
    name="Training",
    request="CreateTrainingJobRequest",
    describe="DescribeTrainingJobResponse",
    supplied=("TrainingJobName",),
    cacheable=True,
    cache_key=(
        "AlgorithmSpecification",
        "CheckpointConfig",
        "DebugHookConfig",
        "DebugRuleConfigurations",
        "Environment",
        "HyperParameters",
        "InputDataConfig",
    ),
    retry_types=JOB_FAULTS,
    permissions=(
        "sagemaker:CreateTrainingJob",
        "sagemaker:DescribeTrainingJob",
        "sagemaker:StopTrainingJob",
        "sagemaker:AddTags",
        "iam:PassRole",
    ),
    one_of=(
        ("", ("AlgorithmSpecification", "ServerlessJobConfig")),
        ("", ("ResourceConfig", "ServerlessJobConfig")),
        ("AlgorithmSpecification", ("TrainingImage", "AlgorithmName")),
        ("ResourceConfig", ("InstanceType", "InstanceGroups", "InstancePreferences")),
        ("ResourceConfig", ("InstanceCount", "InstanceGroups", "InstancePreferences")),
        ("InputDataConfig.*.DataSource", ("S3DataSource", "FileSystemDataSource", "DatasetSource")),
    ),
)
