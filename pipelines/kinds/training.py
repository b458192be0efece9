"""`kind: training`: a training script on one or many instances, in a Training job."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.bundle.need import CodeNeed
from pipelines.diagnostics import Finding, Path, Severity
from pipelines.grammar.functions import Get
from pipelines.grammar.patterns import compiled
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
from pipelines.kinds.base.distribution import Distribution, distribution_checks
from pipelines.kinds.base.extra import with_extra
from pipelines.kinds.base.jobs import (
    BUNDLE,
    CODE,
    SourceDir,
    check_source_dir,
    environment,
    folder_of_script,
    instances,
    only_with_script,
    output_uri,
    requirements_file,
    script,
    step_keys,
    tags,
    text,
    volume_key,
    vpc,
)
from pipelines.spec.base import Seldom, SpecModel, imported, late
from pipelines.spec.members import RequestMember, members_of
from pipelines.spec.steps import Input, JobStep
from pipelines.spec.values import (
    AnyScalar,
    FixedText,
    Integer,
    Text,
    is_below,
    no_entries,
    normal_path,
)

if TYPE_CHECKING:
    from pipelines.kinds.base.checkpoints import Checkpoints
    from pipelines.kinds.base.tracking import Mlflow, TensorBoard
else:
    Checkpoints = late("pipelines.kinds.base.checkpoints", "Checkpoints")
    Mlflow = late("pipelines.kinds.base.tracking", "Mlflow")
    TensorBoard = late("pipelines.kinds.base.tracking", "TensorBoard")


class InstanceGroup(SpecModel):
    """A part of a heterogeneous cluster."""

    instance_group_name: FixedText = Field(description="Its name, for inputs.")
    instance_type: Text = Field(description="Such as ml.g5.xlarge.")
    instance_count: Integer = Field(1, description="How many instances.")


class TrainingKeys(JobStep):
    """The keys of every step that learns a model and writes it to SM_MODEL_DIR."""

    instead_of: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "instance_groups": ("instance_type", "instance_count")
    }
    has_channels: ClassVar[bool] = True

    script: Annotated[
        FixedText | None,
        RequestMember("AlgorithmSpecification.ContainerEntrypoint", if_given=True),
    ] = Field(
        None,
        description="The script, a file of the project; without it the image's own entrypoint "
        "is started.",
    )
    source_dir: SourceDir = None
    inputs: Annotated[
        dict[str, Input], RequestMember("InputDataConfig", named_by="ChannelName")
    ] = Field(
        default_factory=dict, description="Channels; the script finds each in SM_CHANNEL_<NAME>."
    )
    hyperparameters: Annotated[dict[str, AnyScalar], RequestMember("HyperParameters")] = Field(
        default_factory=dict, description="Given to the script as --key value."
    )
    metric_definitions: Annotated[
        dict[str, FixedText],
        RequestMember("MetricDefinitions", named_by="Name", value="Regex"),
    ] = Field(
        default_factory=dict,
        description="Regular expressions by metric name; group 1 is the value in the log.",
    )
    distribution: Distribution | None = Field(
        None, description="What starts several processes or hosts, such as torchrun."
    )
    instance_groups: Annotated[
        list[InstanceGroup], RequestMember("ResourceConfig.InstanceGroups")
    ] = Field(
        default_factory=no_entries, description="Instead of instance_type and instance_count."
    )
    enable_managed_spot_training: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="Use spot capacity; implies checkpoints.",
    )
    max_wait_time_in_seconds: Integer | None = Field(
        None, description="With spot: at most this long, waiting included."
    )
    checkpoints: Annotated[Seldom[Checkpoints], RequestMember("CheckpointConfig")] = Field(
        None, description="Keep checkpoints in S3."
    )
    tensorboard: Annotated[
        Seldom[TensorBoard], RequestMember("TensorBoardOutputConfig", if_given=True)
    ] = Field(None, description="Keep TensorBoard's event files in S3.")
    mlflow: Annotated[Seldom[Mlflow], RequestMember("MlflowConfig", if_given=True)] = Field(
        None, description="Log parameters, metrics and the model to MLflow; short: its tracking."
    )
    keep_alive_period_in_seconds: Integer | None = Field(
        None, description="Keep the instances warm for the next job for so long."
    )
    enable_inter_container_traffic_encryption: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="Encrypt what the hosts send each other.",
    )


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
    types = tuple(_instance_types(step).values())
    first = None if step.instance_groups else types[0]
    images: dict[Path, ImageNeed] = {("image",): ImageNeed(step.image, first, "training", types)}
    if step.script is None:
        return StepNeeds(images)
    distribution = step.distribution.in_job if step.distribution else None
    checkpoints = _checkpoints(step)
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


def _checkpoints(step: TrainingKeys) -> "Checkpoints | None":
    """Return where checkpoints are kept; spot implies the usual place."""
    if step.checkpoints is None and step.enable_managed_spot_training:
        return imported(Checkpoints)()
    return step.checkpoints


def _tracking(step: TrainingKeys) -> JsonObject:
    """Return what the runtime is told of TensorBoard and MLflow."""
    found: JsonObject = {}
    if step.tensorboard is not None:
        found["tensorboard"] = step.tensorboard.local_path
    if step.mlflow is not None:
        found["mlflow"] = step.mlflow.in_job(step.metric_definitions)
    return found


def checks(step: TrainingKeys) -> Iterator[Finding]:
    """Spot and its waiting time belong together, channels name groups that there are."""
    if step.script is None:
        runs = (
            step.mlflow is not None and step.mlflow.is_local
        )  # nothing but the runtime logs these
        given = {"source_dir": step.source_dir, "distribution": step.distribution}
        yield from only_with_script(step, **given, mlflow=runs)
    yield from check_source_dir(step.script, step.source_dir)
    if step.enable_managed_spot_training and step.max_wait_time_in_seconds is None:
        yield Finding(
            "SP130",
            "spot training needs `max_wait_time_in_seconds`",
            ("enable_managed_spot_training",),
            at="key",
            help="add it; it must be at least `max_runtime_in_seconds` (CreateTrainingJob)",
        )
    yield from _host_checks(step)
    yield from _folder_checks(step)
    if step.distribution is not None:
        yield from distribution_checks(
            step.distribution, _instance_types(step), set(step.hyperparameters)
        )
    yield from _metric_checks(step)
    yield from _group_checks(step)


def _group_checks(step: TrainingKeys) -> Iterator[Finding]:
    """Instance groups have names of their own, and channels name those that there are."""
    groups = [group.instance_group_name for group in step.instance_groups]
    for index, group in enumerate(groups):
        if group in groups[:index]:
            path: Path = ("instance_groups", index, "instance_group_name")
            yield Finding(
                "SP130", f"two instance groups are named `{group}`", path, help="rename one"
            )
    for name, source in step.inputs.items():
        for index, group in enumerate(source.instance_group_names):
            path = ("inputs", name, "instance_group_names", index)
            if group not in groups:
                advice = f"instance groups: {', '.join(dict.fromkeys(groups)) or 'none'}"
                yield Finding("SP130", f"there is no instance group `{group}`", path, help=advice)
            elif group in source.instance_group_names[:index]:
                yield Finding("SP130", f"`{group}` is named twice", path, help="keep only one")


def _folder_checks(step: TrainingKeys) -> Iterator[Finding]:
    """Find event files among the checkpoints, or the other way round: both would be kept twice."""
    checkpoints = _checkpoints(step)
    if step.tensorboard is None or checkpoints is None:
        return
    kept = normal_path(checkpoints.local_path)
    events = normal_path(step.tensorboard.local_path)
    if is_below(kept, events) or is_below(events, kept):
        message = f"`{events}` holds the files of TensorBoard, and `{kept}` the checkpoints"
        advice = "name folders of which none is in the other"
        yield Finding("SP130", message, ("tensorboard",), "key", advice)


def _host_checks(step: TrainingKeys) -> Iterator[Finding]:
    """Warn of hosts that nothing brings together; a count that is a reference counts as one."""
    counts = [group.instance_count for group in step.instance_groups] or [step.instance_count]
    hosts = sum(count if isinstance(count, int) else 1 for count in counts)
    if hosts > 1 and step.script and step.distribution is None:
        yield Finding(
            "SP130",
            f"nothing distributes the training: each of the {hosts} instances runs the whole script"
            " by itself",
            ("instance_groups" if step.instance_groups else "instance_count",),
            help="add `distribution: torchrun`, or have the script use SM_HOSTS",
            severity=Severity.WARNING,
        )


def _instance_types(step: TrainingKeys) -> dict[Path, Text]:
    """Return the instance types of a step, by the path of each."""
    if not step.instance_groups:
        types = step.instance_types
        if len(types) == 1:
            return {("instance_type",): types[0]}
        return {("instance_type", index): one for index, one in enumerate(types)}
    groups = enumerate(step.instance_groups)
    return {("instance_groups", i, "instance_type"): group.instance_type for i, group in groups}


def _metric_checks(step: TrainingKeys) -> Iterator[Finding]:
    for name, expression in step.metric_definitions.items():
        path = ("metric_definitions", name)
        try:
            groups = compiled(expression).groups
        except re.error as error:
            # The service reads Java's expressions, which may hold what Python's may not.
            message = f"`{expression}` is not a valid regular expression: {error.msg}"
            yield Finding("SP130", message, path, severity=Severity.WARNING)
            continue
        if not groups:
            advice = "put the value into parentheses, such as `auc=([0-9.]+)`"
            yield Finding(
                "SP130", f"`{expression}` has no group that captures the value", path, help=advice
            )


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
    if checkpoints := _checkpoints(step):
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
    return {**resources, **volume_key(context, _instance_types(step).values())}


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
    checks,
    example=_EXAMPLE,
)
