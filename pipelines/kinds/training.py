"""`kind: training`: a training script on one or many instances, in a Training job."""

from collections.abc import Mapping
from typing import Literal

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Path
from pipelines.grammar.functions import Get
from pipelines.json_types import JsonObject
from pipelines.kinds.base.channels import channels
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    ImageNeed,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.extra import with_extra
from pipelines.kinds.base.jobs import (
    BUNDLE,
    CODE,
    environment,
    folder_of_script,
    instances,
    output_uri,
    requirements_file,
    script,
    step_keys,
    tags,
    text,
    volume_key,
    vpc,
)
from pipelines.kinds.base.training import (
    TrainingKeys,
    checkpoints_of,
    instance_types,
    training_checks,
)
from pipelines.spec.members import members_of


class TrainingStep(TrainingKeys):
    """A script that learns a model and writes it to SM_MODEL_DIR."""

    kind: Literal["training"]


def outputs(name: str, step: TrainingStep) -> Mapping[str, Output]:
    """`model`, the archive; `metrics.NAME`, the final value of each metric definition."""
    metrics = {
        m: Get(f"Steps.{name}.FinalMetricDataList['{m}'].Value") for m in step.metric_definitions
    }
    return {
        "model": Output(Get(f"Steps.{name}.ModelArtifacts.S3ModelArtifacts")),
        "metrics": Output(members=metrics),
    }


def needs(_name: str, step: TrainingKeys) -> StepNeeds:
    """The image and the script's bundle with its launcher."""
    types = tuple(instance_types(step).values())
    first = None if step.instance_groups else types[0]
    images: dict[Path, ImageNeed] = {("image",): ImageNeed(step.image, first, "training", types)}
    if step.script is None:
        return StepNeeds(images)
    distribution = step.distribution.in_job if step.distribution else None
    checkpoints = checkpoints_of(step)
    code = CodeNeed(
        "training",
        script=script(step.script, "script"),
        source_dir=folder_of_script(step.source_dir),
        include=tuple(step.include),
        requirements_file=requirements_file(step),
        distribution=distribution,
        checkpoints=checkpoints.in_job if checkpoints else None,
        tracking=_tracking(step) or None,
    )
    return StepNeeds(images, code)


def _tracking(step: TrainingKeys) -> JsonObject:
    """Return what the runtime is told of TensorBoard and MLflow."""
    found: JsonObject = {}
    if step.tensorboard is not None:
        found["tensorboard"] = step.tensorboard.local_path
    if step.mlflow is not None:
        found["mlflow"] = step.mlflow.in_job(step.metric_definitions)
    return found


def emit(step: TrainingKeys, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Training step that starts the bundle (decision 1), else what the image starts."""
    arguments: JsonObject = {
        "AlgorithmSpecification": _algorithm(step, context),
        **channels(step.inputs, context),
        "OutputDataConfig": _output(context),
        "ResourceConfig": _resources(step, context),
        "RoleArn": context.aws.runs_code_as,
        "StoppingCondition": _stopping(step, context),
        **environment(
            step, context, step.mlflow.variables(step.environment, context) if step.mlflow else None
        ),
        **(step.tensorboard.members(context) if step.tensorboard else {}),
        **(step.mlflow.members(context) if step.mlflow else {}),
        **vpc(context),
        **tags(context),
    }
    hyperparameters = {key: text(value, context) for key, value in step.hyperparameters.items()}
    if step.distribution is not None:
        hyperparameters |= step.distribution.hyperparameters
    if hyperparameters:
        arguments["HyperParameters"] = hyperparameters
    if step.enable_network_isolation:
        arguments["EnableNetworkIsolation"] = True
    if step.enable_inter_container_traffic_encryption:
        arguments["EnableInterContainerTrafficEncryption"] = True
    extra = step_keys(step, context)
    if step.enable_managed_spot_training:
        arguments["EnableManagedSpotTraining"] = True
    if checkpoints := checkpoints_of(step):
        arguments["CheckpointConfig"] = checkpoints.config(context)
        extra.pop("CacheConfig", None)
    emitted = EmittedStep(context.name, "Training", arguments, extra)
    return (with_extra(emitted, step.extra, context),)


def _algorithm(step: TrainingKeys, context: EmitContext) -> JsonObject:
    algorithm: JsonObject = {
        "TrainingImage": context.images[("image",)],
        "TrainingInputMode": "File",
    }
    if context.code is not None:
        algorithm["ContainerEntrypoint"] = ["python3", f"/opt/ml/input/data/{CODE}/{BUNDLE}"]
    if step.metric_definitions:
        algorithm["MetricDefinitions"] = [
            {"Name": name, "Regex": regex} for name, regex in step.metric_definitions.items()
        ]
    return algorithm


def _output(context: EmitContext) -> JsonObject:
    output: JsonObject = {"S3OutputPath": output_uri(context, context.name)}
    if context.aws.kms_key:
        output["KmsKeyId"] = context.aws.kms_key
    return output


def _resources(step: TrainingKeys, context: EmitContext) -> JsonObject:
    resources: JsonObject = {"VolumeSizeInGB": context.resolve(step.volume_size_in_gb)}
    if step.instance_groups:
        resources["InstanceGroups"] = [
            members_of(group, context.resolve) for group in step.instance_groups
        ]
    else:
        resources |= instances(step, context)
    if step.keep_alive_period_in_seconds is not None:
        resources["KeepAlivePeriodInSeconds"] = context.resolve(step.keep_alive_period_in_seconds)
    return {**resources, **volume_key(context, instance_types(step).values())}


def _stopping(step: TrainingKeys, context: EmitContext) -> JsonObject:
    stopping: JsonObject = {"MaxRuntimeInSeconds": context.resolve(step.max_runtime_in_seconds)}
    if step.max_wait_time_in_seconds is not None:
        stopping["MaxWaitTimeInSeconds"] = context.resolve(step.max_wait_time_in_seconds)
    return stopping


_EXAMPLE = """\
train:
  kind: training
  image: pytorch-2.13-cpu
  script: steps/train.py
  inputs:
    train: ${data.flights}
  hyperparameters:
    epochs: 4
  metric_definitions:
    loss: 'loss=([0-9.]+)'
"""

KIND = Kind(
    TrainingStep,
    "Training",
    "Train a model with a script, on one or many instances.",
    emit,
    outputs,
    needs,
    training_checks,
    example=_EXAMPLE,
)
