"""Tuning: a CreateHyperParameterTuningJob request; its best jobs are `TrainingJobSummaries`."""

from __future__ import annotations

from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import training_job, tuning_job
from pipelines.steptypes.limits import number, objects
from pipelines.steptypes.places import value_at
from pipelines.steptypes.steptype import (
    JOB_FAULTS,
    JOB_INTERNAL_ERROR,
    Cache,
    DataPlace,
    Resource,
    StepType,
    named_metrics,
    on,
)
from pipelines.steptypes.training import model_uri
from pipelines.steptypes.trials import Standing, Trials

_LONG_NUMBER = 6
_JOBS = ("TrainingJobDefinition", "TrainingJobDefinitions.*")
_PARALLEL = "HyperParameterTuningJobConfig.ResourceLimits.MaxParallelTrainingJobs"
_TOTAL = "HyperParameterTuningJobConfig.ResourceLimits.MaxNumberOfTrainingJobs"


def best_model(described: JsonObject) -> str | None:
    """Return where the model of the best training job is; None where there is none."""
    name = value_at(described, "BestTrainingJob.TrainingJobName")
    definition = value_at(described, "BestTrainingJob.TrainingJobDefinitionName")
    alone: Json = described.get("TrainingJobDefinition")
    several = objects(described.get("TrainingJobDefinitions"))
    named = (one for _, one in several if one.get("DefinitionName") == definition)
    request = alone or next(named, None)
    return None if name is None or request is None else model_uri(request, name)


def _best_metrics(described: JsonObject) -> dict[str, float]:
    place = "BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric"
    found = value_at(described, place)
    return {} if found is None else named_metrics("best.metrics", [found])


def _chosen(described: JsonObject) -> dict[str, str]:
    tuned = value_at(described, "BestTrainingJob.TunedHyperParameters") or {}
    return {f"best.parameters.{name}": value for name, value in tuned.items()}


def _objective(described: JsonObject) -> tuple[str, str]:
    shared = value_at(described, f"{tuning_job.CONFIG}.HyperParameterTuningJobObjective")
    several = objects(described.get("TrainingJobDefinitions"))
    found: JsonObject = shared or next((one["TuningObjective"] for _, one in several), {})
    return found.get("MetricName", ""), found.get("Type", "")


def _standing(described: JsonObject) -> Standing:
    counts = described.get("TrainingJobStatusCounters") or {}
    most = value_at(described, f"{tuning_job.CONFIG}.ResourceLimits.MaxNumberOfTrainingJobs")
    failed = counts.get("NonRetryableError", 0) + counts.get("RetryableError", 0)
    parts = [f"{counts.get('InProgress', 0)} running"]
    parts += [f"{failed} failed"] if failed else []
    tuned = value_at(described, "BestTrainingJob.TunedHyperParameters") or {}
    best = ", ".join(f"{name}={shortened_number(value)}" for name, value in tuned.items())
    parts += [f"best: {best}"] if best else []
    done = counts.get("Completed", 0) + counts.get("Stopped", 0) + failed
    return Standing(done, most or tuning_job.grid_size(described), "; ".join(parts))


def shortened_number(text: str) -> str:
    """Write a number with four significant digits; another text stays."""
    value = number(text)
    is_short = value is None or value.is_integer() or len(text) <= _LONG_NUMBER
    return text if is_short else f"{value:.4g}"


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
    retried_inside=(JOB_INTERNAL_ERROR,),
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
        *training_job.limits(*_JOBS),
        *tuning_job.limits(),
    ),
    rules=(
        *training_job.rules(*_JOBS),
        *tuning_job.rules(*_JOBS),
    ),
    listed_as="TuningJob",
    # Its training jobs' names begin with its own.
    resource=Resource(
        noun="hyper-parameter-tuning-job",
        name="HyperParameterTuningJobName",
        arn="HyperParameterTuningJobArn",
        log_group=training_job.LOG_GROUP,
        longest=32,
    ),
    clusters=tuple(c for job in _JOBS for c in training_job.clusters(job, _PARALLEL, _TOTAL)),
    inputs=tuple(training_job.inputs(job) for job in _JOBS),
    outputs=(DataPlace(at="", name="model", uri="", made=best_model),),
    metrics_of=_best_metrics,
    trials=Trials(
        type="Training",
        operation="list_training_jobs_for_hyper_parameter_tuning_job",
        member="TrainingJobSummaries",
        standing=_standing,
        objective=_objective,
        chosen=_chosen,
    ),
)
