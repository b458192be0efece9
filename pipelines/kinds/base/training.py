"""What every step that learns a model has: its keys, and what is checked of them."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar

from pydantic import Field

from pipelines.diagnostics import Finding, Path, Severity
from pipelines.grammar.patterns import compiled
from pipelines.kinds.base.distribution import Distribution, distribution_checks
from pipelines.kinds.base.jobs import SourceDir, check_source_dir, only_with_script
from pipelines.spec.base import Seldom, SpecModel, imported, late
from pipelines.spec.members import RequestMember
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


def checkpoints_of(step: TrainingKeys) -> "Checkpoints | None":
    """Return where checkpoints are kept; spot implies the usual place."""
    if step.checkpoints is None and step.enable_managed_spot_training:
        return imported(Checkpoints)()
    return step.checkpoints


def training_checks(step: TrainingKeys) -> Iterator[Finding]:
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
            step.distribution, instance_types(step), set(step.hyperparameters)
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
    checkpoints = checkpoints_of(step)
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


def instance_types(step: TrainingKeys) -> dict[Path, Text]:
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
