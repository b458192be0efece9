"""`kind: tuning`: a training script with many hyperparameters, in a HyperParameterTuningJob.

All of a training step is valid here: its request is emitted by `kinds/training.py` and becomes the
definition of the training jobs. Those take no entrypoint: the toolkit of the image starts the
bundle, by static hyperparameters (FACTS 11.4).
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, ClassVar, Literal, Self

from pydantic import Field, model_validator

from pipelines.diagnostics import Finding
from pipelines.grammar.functions import Get, Join
from pipelines.json_types import JsonObject
from pipelines.kinds import training
from pipelines.kinds.base.contract import EmitContext, EmittedStep, Kind, Output, StepNeeds
from pipelines.kinds.base.extra import with_extra
from pipelines.kinds.base.jobs import CODE, volume_key
from pipelines.kinds.base.search import (
    CompletionCriteria,
    Hyperband,
    InstanceConfig,
    Objective,
    Range,
    WarmStart,
    range_checks,
    written_criteria,
    written_hyperband,
    written_ranges,
    written_warm_start,
)
from pipelines.kinds.base.training import TrainingKeys, training_checks
from pipelines.spec.members import RequestMember, members_of
from pipelines.spec.values import AnyScalar, Integer, mistake, no_entries
from pipelines.steptypes.tuning_job import OBJECTIVE

_KEPT = 50
"""How many of its training jobs the service describes, the best one first."""

_STARTED = ("sagemaker_program", "sagemaker_submit_directory")
"""The static hyperparameters by which a toolkit starts the bundle."""


class TuningStep(TrainingKeys):
    """A training script, run again and again to find the hyperparameters of the best model."""

    instead_of: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **TrainingKeys.instead_of,
        "instance_configs": ("instance_type", "instance_count", "volume_size_in_gb"),
    }

    kind: Literal["tuning"]
    hyperparameters: Annotated[dict[str, AnyScalar], RequestMember("StaticHyperParameters")] = (
        Field(
            default_factory=dict,
            description="Those that are the same in every job; given to the script as --key value.",
        )
    )
    ranges: Annotated[
        dict[str, Range],
        RequestMember(
            "ParameterRanges.ContinuousParameterRanges",
            "ParameterRanges.IntegerParameterRanges",
            "ParameterRanges.CategoricalParameterRanges",
            named_by="Name",
        ),
    ] = Field(
        description="The hyperparameters that are searched; a list is short for categorical values."
    )
    objective: Annotated[
        Objective, RequestMember("HyperParameterTuningJobConfig.HyperParameterTuningJobObjective")
    ] = Field(description="Which metric is to be as great, or as small, as possible.")
    strategy: Literal["bayesian", "random", "grid", "hyperband"] = Field(
        "bayesian", description="How the next hyperparameters are chosen."
    )
    hyperband: Annotated[Hyperband | None, RequestMember("HyperbandStrategyConfig")] = Field(
        None, description="With `strategy: hyperband`: how far jobs are trained."
    )
    max_jobs: Annotated[Integer | None, RequestMember("ResourceLimits.MaxNumberOfTrainingJobs")] = (
        Field(None, description="How many training jobs there are; a grid has as many as it has.")
    )
    max_parallel_jobs: Annotated[
        Integer, RequestMember("ResourceLimits.MaxParallelTrainingJobs")
    ] = Field(1, description="How many of them run at once.")
    max_tuning_time_in_seconds: Annotated[
        Integer | None, RequestMember("ResourceLimits.MaxRuntimeInSeconds")
    ] = Field(None, description="The whole search ends after this many seconds.")
    early_stopping: Annotated[
        Literal["off", "auto"],
        RequestMember("HyperParameterTuningJobConfig.TrainingJobEarlyStoppingType"),
    ] = Field("off", description="auto stops jobs that are unlikely to become the best one.")
    completion_criteria: Annotated[
        CompletionCriteria | None, RequestMember("TuningJobCompletionCriteria")
    ] = Field(None, description="When the search ends before `max_jobs`.")
    warm_start: Annotated[WarmStart | None, RequestMember("WarmStartConfig")] = Field(
        None, description="Begin with the results of earlier tuning jobs."
    )
    random_seed: Integer | None = Field(
        None, description="The same seed chooses more alike; 0 or greater."
    )
    maximum_retry_attempts: Annotated[
        Integer | None, RequestMember("RetryStrategy.MaximumRetryAttempts")
    ] = Field(None, description="How often a job is tried again that the platform failed.")
    instance_configs: Annotated[
        list[InstanceConfig], RequestMember("HyperParameterTuningResourceConfig.InstanceConfigs")
    ] = Field(
        default_factory=no_entries,
        description="Instead of instance_type, instance_count and volume_size_in_gb: several, the "
        "preferred one first.",
    )

    @model_validator(mode="after")
    def _one_way_each(self) -> Self:
        if self.strategy != "grid" and self.max_jobs is None:
            advice = "such as `max_jobs: 20`; only `strategy: grid` needs none"
            raise mistake("SP120", "a `tuning` step lacks the key `max_jobs`", advice)
        if self.hyperband is not None and self.strategy != "hyperband":
            message = f"cannot be used with `strategy: {self.strategy}`"
            raise mistake("SP125", message, "write `strategy: hyperband`", below="hyperband")
        if self.instance_configs and self.instance_groups:
            message = "cannot be used together with `instance_groups`"
            raise mistake("SP125", message, "keep only one", below="instance_configs")
        if self.keep_alive_period_in_seconds is not None:
            raise mistake(
                "SP125",
                "is not for a tuning job: it keeps its instances for its next training job anyway",
                "remove it",
                below="keep_alive_period_in_seconds",
            )
        for key, given in (("tensorboard", self.tensorboard), ("mlflow", self.mlflow)):
            if given is not None:
                message = "is not for a tuning job: the service knows no such member of one"
                raise mistake("SP125", message, "remove it", below=key)
        if self.checkpoints is not None and self.checkpoints.resume is not None:
            message = "is not for a tuning job: its training jobs have other hyperparameters each"
            place = ("checkpoints", "resume")
            raise mistake("SP125", message, "remove it; see `warm_start`", below=place)
        return self


def outputs(name: str, step: TuningStep) -> Mapping[str, Output]:
    """`best`, with its model, metric and hyperparameters; `top[k]`, the models from the best on."""
    best = f"Steps.{name}.BestTrainingJob"
    value = Get(f"{best}.FinalHyperParameterTuningJobObjectiveMetric.Value")
    parameters = {key: Get(f"{best}.TunedHyperParameters['{key}']") for key in step.ranges}
    inner: dict[str | int, Output] = {
        "model": Output(_model(name, 0)),
        "metrics": Output(members={step.objective.metric: value}),
        "parameters": Output(members=parameters),
        "job": Output(Get(f"{best}.TrainingJobName")),
    }
    count = max(1, min(_most_jobs(step), _KEPT))
    top: dict[str | int, Output] = {
        k: Output(members={"model": _model(name, k)}) for k in range(count)
    }
    return {"best": Output(inner=inner), "top": Output(inner=top)}


def _most_jobs(step: TuningStep) -> int:
    """Return how many training jobs there are at most; of a grid, how many combinations it has."""
    if isinstance(step.max_jobs, int):
        return step.max_jobs
    if step.strategy == "grid":
        return math.prod(len(one.values) for one in step.ranges.values())
    return _KEPT  # a parameter's value decides


def _model(name: str, rank: int) -> Join:
    """The archive of a training job, as the SDK's `get_top_model_s3_uri` writes it."""
    prefix = Get(f"Steps.{name}.TrainingJobDefinition.OutputDataConfig.S3OutputPath")
    job = Get(f"Steps.{name}.TrainingJobSummaries[{rank}].TrainingJobName")
    return Join("/", (prefix, job, "output/model.tar.gz"))


def needs(name: str, step: TuningStep) -> StepNeeds:
    """What a training step needs; the toolkit of the image starts the bundle."""
    needed = training.needs(name, step)
    code = None if needed.code is None else replace(needed.code, by_toolkit=True)
    images = needed.images
    if step.instance_configs:
        preferred = step.instance_configs[0].instance_type
        images = {at: replace(need, instance_type=preferred) for at, need in images.items()}
    return replace(needed, images=images, code=code)


def checks(step: TuningStep) -> Iterator[Finding]:
    """There are metrics, and each range has what its type needs; the rest is the Type's."""
    yield from training_checks(step)
    if not step.metric_definitions and step.script is not None:
        metric = step.objective.metric
        message = f"no metric definition gives the objective `{metric}`"
        advice = f"add `metric_definitions:` with `{metric}: '{metric}=([0-9.]+)'`"
        yield Finding("SP130", message, ("objective", "metric"), help=advice)
    if not step.ranges:
        message = "`ranges` is empty: there is nothing to search"
        yield Finding("SP130", message, ("ranges",), help="name a hyperparameter and its values")
    yield from (found for name, one in step.ranges.items() for found in range_checks(name, one))
    yield from _name_checks(step)


def _name_checks(step: TuningStep) -> Iterator[Finding]:
    taken = {OBJECTIVE, *(_STARTED if step.script is not None else ())}
    for key, names in (("hyperparameters", step.hyperparameters), ("ranges", step.ranges)):
        for name in names:
            if name in taken:
                message = f"the hyperparameter `{name}` is set by SageMaker or by `compile`"
                yield Finding("SP130", message, (key, name), "key", "rename it")


def emit(step: TuningStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Tuning step: the request of a training step as the definition of its training jobs."""
    (trained,) = training.emit(step.model_copy(update={"extra": {}}), context)
    job = dict(trained.arguments)
    tags = {"Tags": job.pop("Tags")} if "Tags" in job else {}
    job["AlgorithmSpecification"] = {
        key: value
        for key, value in job["AlgorithmSpecification"].items()
        if key not in {"ContainerEntrypoint", "ContainerArguments"}
    }
    static = {**job.pop("HyperParameters", {}), **_started(context)}
    if static:
        job["StaticHyperParameters"] = static
    if configs := _configs(step):
        job["HyperParameterTuningResourceConfig"] = _any_of(configs, context)
        del job["ResourceConfig"]
    if step.maximum_retry_attempts is not None:
        attempts = context.resolve(step.maximum_retry_attempts)
        job["RetryStrategy"] = {"MaximumRetryAttempts": attempts}
    arguments: JsonObject = {
        "HyperParameterTuningJobConfig": _config(step, context),
        "TrainingJobDefinition": job,
        **tags,
    }
    if step.warm_start is not None:
        arguments["WarmStartConfig"] = written_warm_start(step.warm_start, context)
    return (with_extra(replace(trained, type="Tuning", arguments=arguments), step.extra, context),)


def _started(context: EmitContext) -> JsonObject:
    """The static hyperparameters by which a toolkit starts the bundle, as the SDK writes them."""
    if context.code is None:
        return {}  # an algorithm of the image's own
    return {
        "sagemaker_program": json.dumps(context.code.rpartition("/")[2]),
        "sagemaker_submit_directory": json.dumps(f"/opt/ml/input/data/{CODE}"),
    }


def _configs(step: TuningStep) -> list[InstanceConfig]:
    """Return the instances of which the first free ones are taken; empty where there is no choice.

    A tuning job has no preferences: each type stands with its number and its storage.
    """
    if step.instance_configs or step.instance_groups or len(step.instance_types) == 1:
        return step.instance_configs
    return [
        InstanceConfig.model_construct(
            instance_type=one,
            instance_count=step.instance_count,
            volume_size_in_gb=step.volume_size_in_gb,
        )
        for one in step.instance_types
    ]


def _any_of(configs: list[InstanceConfig], context: EmitContext) -> JsonObject:
    written = [members_of(one, context.resolve) for one in configs]
    key = volume_key(context, [one.instance_type for one in configs])
    return {"AllocationStrategy": "Prioritized", "InstanceConfigs": written, **key}


def _config(step: TuningStep, context: EmitContext) -> JsonObject:
    config: JsonObject = {
        "Strategy": step.strategy.capitalize(),
        "HyperParameterTuningJobObjective": {
            "Type": step.objective.goal.capitalize(),
            "MetricName": step.objective.metric,
        },
        "ResourceLimits": _limits(step, context),
        "ParameterRanges": written_ranges(step.ranges, context),
        "TrainingJobEarlyStoppingType": step.early_stopping.capitalize(),
    }
    if step.hyperband is not None:
        config["StrategyConfig"] = written_hyperband(step.hyperband, context)
    if step.completion_criteria is not None:
        criteria = written_criteria(step.completion_criteria, context)
        config["TuningJobCompletionCriteria"] = criteria
    if step.random_seed is not None:
        config["RandomSeed"] = context.resolve(step.random_seed)
    return config


def _limits(step: TuningStep, context: EmitContext) -> JsonObject:
    limits = {
        "MaxNumberOfTrainingJobs": step.max_jobs,
        "MaxParallelTrainingJobs": step.max_parallel_jobs,
        "MaxRuntimeInSeconds": step.max_tuning_time_in_seconds,
    }
    return {key: context.resolve(value) for key, value in limits.items() if value is not None}


_EXAMPLE = """\
tune:
  kind: tuning
  image: pytorch-2.13-cpu
  script: steps/train.py
  inputs:
    train: ${data.flights}
  hyperparameters:
    epochs: 4
  metric_definitions:
    auc: 'auc=([0-9.]+)'
  ranges:
    learning_rate: {type: continuous, min: 0.001, max: 0.1, scaling: logarithmic}
    layers: {type: integer, min: 1, max: 4}
    optimizer: [adam, sgd]
  objective:
    metric: auc
    goal: maximize
  max_jobs: 12
  max_parallel_jobs: 2
"""

KIND = Kind(
    TuningStep,
    "Tuning",
    "Find the hyperparameters of the best model, by many training jobs.",
    emit,
    outputs,
    needs,
    checks,
    example=_EXAMPLE,
)
