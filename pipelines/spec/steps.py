"""The keys that steps share; a kind adds the model of its own."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, field_validator, model_validator

from pipelines.json_types import JsonObject
from pipelines.spec.base import ShortFormModel, SpecModel
from pipelines.spec.instances import InstanceTypes, types_in
from pipelines.spec.members import RequestMember
from pipelines.spec.references import Template
from pipelines.spec.s3_places import S3Place
from pipelines.spec.values import (
    AnyFixedText,
    AnyScalar,
    Duration,
    FixedText,
    Integer,
    RequestMembers,
    Text,
    describe,
    mistake,
    no_entries,
)

Trigger: TypeAlias = Literal["completed", "failed", "stopped", "any"]

ExtraMembers: TypeAlias = Annotated[
    RequestMembers,
    RequestMember(),
    Field(
        description="Members of the request that have no key, named as in SageMaker's API, "
        "such as `TensorBoardOutputConfig`."
    ),
]
"""What `extra:` holds."""


class Retry(SpecModel, defer_build=False):
    """Try a step again when the platform failed it."""

    exception_type: list[FixedText] = Field(
        description="Step.SERVICE_FAULT, Step.THROTTLING, SageMaker.JOB_INTERNAL_ERROR, "
        "SageMaker.CAPACITY_ERROR, SageMaker.RESOURCE_LIMIT."
    )
    interval_seconds: int = Field(1, description="Seconds before the first retry.")
    backoff_rate: float = Field(2.0, description="Factor between one pause and the next.")
    max_attempts: int | None = Field(None, description="Retries at most (1 to 20).")
    expire_after_min: int | None = Field(
        None, description="Minutes after which to give up; instead of max_attempts."
    )

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.max_attempts is not None and self.expire_after_min is not None:
            message = "cannot be used together with `max_attempts`"
            raise mistake("SP125", message, "keep only one", below="expire_after_min")
        return self


class Input(ShortFormModel, defer_build=False):
    """One input of a job."""

    from_: Annotated[S3Place, RequestMember("S3Input.S3Uri", "S3DataSource.S3Uri")] = Field(
        alias="from", description="A `${data…}` or `${steps…}` reference, or an s3:// prefix."
    )
    data_type: Annotated[
        Literal["S3Prefix", "ManifestFile"],
        RequestMember("S3Input.S3DataType", "S3DataSource.S3DataType"),
    ] = Field("S3Prefix", description="S3Prefix, or ManifestFile where `from` names a manifest.")
    mode: Annotated[
        Literal["File", "FastFile", "Pipe"], RequestMember("S3Input.S3InputMode", "InputMode")
    ] = Field("File", description="File copies first, FastFile streams, Pipe is a FIFO.")
    distribution: Annotated[
        Literal["FullyReplicated", "ShardedByS3Key"], RequestMember("S3DataDistributionType")
    ] = Field("FullyReplicated", description="Every host gets all objects, or a share of them.")
    content_type: AnyFixedText | None = Field(None, description="MIME type (training only).")
    compression_type: Annotated[
        Literal["None", "Gzip"], RequestMember("S3Input.S3CompressionType", "CompressionType")
    ] = Field("None", description="Gzip is for mode Pipe only.")
    record_wrapper_type: Literal["None", "RecordIO"] = Field(
        "None", description="RecordIO wraps each object of a Pipe in a record (training only)."
    )
    shuffle_seed: Annotated[Integer | None, RequestMember("ShuffleConfig.Seed")] = Field(
        None, description="Shuffle the objects by this seed (training only)."
    )
    immutable: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="The objects under an s3:// prefix never change: the step may be cached.",
    )
    instance_group_names: list[FixedText] = Field(
        default_factory=no_entries,
        description="Instance groups that get this channel (training only).",
    )

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `from`."""
        return {"from": text}


class Requirements(ShortFormModel, defer_build=False):
    """The Python packages of a step."""

    file: FixedText = Field(description="A requirements file of the project.")
    mode: Literal["index", "wheels"] = Field(
        "index",
        description="index: installed from a package index when missing; "
        "wheels: a hash-pinned lock installed from `wheels` with no index.",
    )
    wheels: FixedText | None = Field(
        None, description="Folder with the wheels of a lock, for mode wheels."
    )

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `file`."""
        return {"file": text}

    @model_validator(mode="after")
    def _wheels_have_a_folder(self) -> Self:
        if (self.mode == "wheels") != (self.wheels is not None):
            message = "needs both `mode: wheels` and the folder `wheels:`, or neither"
            raise mistake("SP125", message)
        return self


class StepSpec(SpecModel):
    """The keys that every step has."""

    expressions: ClassVar[tuple[str, ...]] = ()
    """Keys whose text is a condition, not text with `${}` in it."""
    takes: ClassVar[tuple[str, ...]] = ()
    """Keys of `defaults:` that hold for it where it does not say otherwise."""
    instead_of: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Keys that replace others, which are then neither written nor taken from `defaults:`."""
    has_channels: ClassVar[bool] = False
    """Whether its `inputs:` are channels of training jobs, which can mount file systems."""

    kind: FixedText = Field(description="What the step does.")
    description: AnyFixedText | None = Field(None, description="Shown in the console.")
    display_name: AnyFixedText | None = Field(None, description="Shown instead of the step's name.")
    after: Annotated[dict[str, Trigger], RequestMember("DependsOn")] = Field(
        default_factory=dict,
        description="Steps to wait for, with what has to have happened: "
        "completed, failed, stopped or any.",
    )

    @classmethod
    def taken_by(cls, written: JsonObject) -> frozenset[str]:
        """Return the keys of `defaults:` that a step takes, given what is written in it."""
        replaced = {one for key, keys in cls.instead_of.items() if written.get(key) for one in keys}
        return frozenset(cls.takes) - replaced - written.keys()

    @model_validator(mode="after")
    def _replaced_keys_are_absent(self) -> Self:
        for key, keys in self.instead_of.items():
            both = [one for one in keys if one in self.model_fields_set]
            if both and getattr(self, key):
                message = f"cannot be used together with `{key}`, which replaces it"
                raise mistake("SP125", message, "keep only one", below=both[0])
        return self

    @field_validator("after", mode="before")
    @classmethod
    def _after_as_mapping(cls, value: object) -> object:
        if not isinstance(value, list | str):
            return value
        names = [value] if isinstance(value, str) else value
        for index, name in enumerate(names):
            below = () if isinstance(value, str) else (index,)
            if not isinstance(name, str) or not name.strip() or "${" in name:
                message = f"must be the names of steps, got {describe(name)}"
                advice = "with a trigger it is `after: {STEP: failed}`"
                raise mistake("SP121", message, advice, below=below)
        return dict.fromkeys(names, "completed")


class JobStep(StepSpec):
    """The keys of every step that runs a job."""

    takes: ClassVar[tuple[str, ...]] = (
        "image",
        "instance_type",
        "instance_count",
        "volume_size_in_gb",
        "max_runtime_in_seconds",
        "enable_network_isolation",
        "cache",
        "retry",
    )

    image: Annotated[
        Text | None,
        RequestMember("AppSpecification.ImageUri", "AlgorithmSpecification.TrainingImage"),
    ] = Field(None, description="A name such as sklearn-1.9-cpu, or an image URI of your own.")
    instance_type: Annotated[
        InstanceTypes,
        RequestMember(
            "ClusterConfig.InstanceType",
            "ResourceConfig.InstanceType",
            "ClusterConfig.InstancePreferences",
            "ResourceConfig.InstancePreferences",
        ),
    ] = Field(
        "ml.m5.xlarge",
        description="Such as ml.m5.xlarge; or a list, of which the first free one is used.",
    )
    instance_count: Annotated[
        Integer, RequestMember("ClusterConfig.InstanceCount", "ResourceConfig.InstanceCount")
    ] = Field(1, description="How many instances.")
    volume_size_in_gb: Annotated[
        Integer, RequestMember("ClusterConfig.VolumeSizeInGB", "ResourceConfig.VolumeSizeInGB")
    ] = Field(30, description="Storage of each instance, in GB.")
    max_runtime_in_seconds: Annotated[
        Integer, RequestMember("StoppingCondition.MaxRuntimeInSeconds")
    ] = Field(86_400, description="The job is stopped after this many seconds.")
    environment: dict[str, AnyScalar] = Field(
        default_factory=dict, description="Environment variables of the job; never a secret."
    )
    requirements: Requirements | None = Field(None, description="Python packages of the step.")
    include: list[FixedText] = Field(
        default_factory=no_entries,
        description="Files, folders or globs of the project that the code needs besides imports.",
    )
    enable_network_isolation: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="The job has no network.",
    )
    cache: Annotated[Duration, RequestMember("CacheConfig")] = Field(
        None, description="Reuse an earlier run of the same step for this long, such as 30d."
    )
    retry: Annotated[list[Retry], RequestMember("RetryPolicies")] = Field(
        default_factory=no_entries, description="When to try again."
    )
    extra: ExtraMembers = Field(default_factory=dict)

    @staticmethod
    def of_program(**read: Any) -> "JobStep":
        """Return the step of a job that the tool adds, from values that were read as keys."""
        return JobStep.model_construct(kind="processing", **read)

    @property
    def instance_types(self) -> tuple[str | Template, ...]:
        """The instance types, the first choice first."""
        return types_in(self.instance_type)
