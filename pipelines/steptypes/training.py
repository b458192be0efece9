"""Training: a CreateTrainingJob request; also what a notebook job and an `@step` compile to."""

from __future__ import annotations

from pipelines.json_types import JsonObject
from pipelines.steptypes import training_job
from pipelines.steptypes.steptype import (
    JOB_FAULTS,
    Cache,
    DataPlace,
    Resource,
    StepType,
    job_grants,
)


def model_uri(request: JsonObject, job_name: str) -> str:
    """Return where a job writes its model: an archive, or a prefix where it is not compressed.

    Source: FACTS 1.7.
    """
    config = request["OutputDataConfig"]
    name = "model/" if config.get("CompressionType") == "NONE" else "model.tar.gz"
    return f"{config['S3OutputPath'].rstrip('/')}/{job_name}/output/{name}"


def _artifacts(request: JsonObject, job_name: str) -> JsonObject:
    """Return what DescribeTrainingJob says of the model; a serverless job may name no output."""
    if "S3OutputPath" not in (request.get("OutputDataConfig") or {}):
        return {}
    return {"ModelArtifacts": {"S3ModelArtifacts": model_uri(request, job_name)}}


STEP_TYPE = StepType(
    name="Training",
    request="CreateTrainingJobRequest",
    describe="DescribeTrainingJobResponse",
    aliases=("NotebookJob",),
    supplied=("TrainingJobName",),
    cache=Cache(
        key=(
            "AlgorithmSpecification",
            "CheckpointConfig",
            "DebugHookConfig",
            "DebugRuleConfigurations",
            "Environment",
            "HyperParameters",
            "InputDataConfig",
        ),
    ),
    retry_types=JOB_FAULTS,
    permissions=job_grants("training-job", "TrainingJob"),
    job_roles=("RoleArn",),
    one_of=(
        ("", ("AlgorithmSpecification", "ServerlessJobConfig")),
        ("", ("ResourceConfig", "ServerlessJobConfig")),
        ("AlgorithmSpecification", ("TrainingImage", "AlgorithmName")),
        ("ResourceConfig", ("InstanceType", "InstanceGroups", "InstancePreferences")),
        ("ResourceConfig", ("InstanceCount", "InstanceGroups", "InstancePreferences")),
        ("InputDataConfig.*.DataSource", ("S3DataSource", "FileSystemDataSource", "DatasetSource")),
    ),
    strings=("HyperParameters", "Environment", "AlgorithmSpecification.ContainerArguments"),
    metrics=("AlgorithmSpecification.MetricDefinitions.*.Regex",),
    limits=training_job.limits(""),
    rules=training_job.rules(""),
    listed_as="TrainingJob",
    resource=Resource(
        noun="training-job",
        name="TrainingJobName",
        arn="TrainingJobArn",
        log_group=training_job.LOG_GROUP,
    ),
    clusters=training_job.clusters(),
    inputs=(training_job.inputs(),),
    outputs=(
        DataPlace(at="ModelArtifacts", name="model", uri="S3ModelArtifacts"),
        DataPlace(at="", name="tensorboard", uri="", made=training_job.event_files),
    ),
    describes=_artifacts,
)
