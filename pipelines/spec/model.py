"""The models of the spec that every pipeline shares; a kind adds the model of its step."""

from __future__ import annotations

import re
from abc import abstractmethod
from typing import Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema

from pipelines.json_types import JsonObject
from pipelines.spec.members import Member
from pipelines.spec.values import (
    AnyScalar,
    Duration,
    FixedText,
    Integer,
    Text,
    describe,
    mistake,
    no_entries,
)

ParameterType: TypeAlias = Literal["string", "integer", "float", "boolean"]
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")

Trigger: TypeAlias = Literal["completed", "failed", "stopped", "any"]


class SpecModel(BaseModel):
    """What all models of the spec have in common: frozen, strict, no unknown keys.

    A model is built when it is first used, which most kinds never are. Those that several kinds
    hold are built at once (`defer_build=False`): pydantic then takes them as they are instead of
    building them again in every kind.
    """

    one_of: ClassVar[tuple[str, ...]] = ()
    """Keys of which exactly one is given; in an environment it replaces the other ones."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        defer_build=True,
        allow_inf_nan=False,
        protected_namespaces=(),
    )

    def check_one_of(self, example: str) -> None:
        """Raise a mistake unless exactly one key of `one_of` is given."""
        given = [key for key in self.one_of if getattr(self, key) is not None]
        if len(given) != 1:
            named = " and ".join(f"`{key}`" for key in given) or "none"
            message = f"needs exactly one of {', '.join(self.one_of)}; it has {named}"
            raise mistake("SP125", message, "keep only one" if given else example)


class ShortFormModel(SpecModel):
    """A mapping that may be written as one text where nothing else is to be said."""

    @classmethod
    @abstractmethod
    def long_form(cls, text: str) -> JsonObject:
        """Return the mapping that a text stands for."""

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: object) -> object:
        return cls.long_form(value) if isinstance(value, str) else value

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonObject:
        written = handler(schema)
        mapping = handler.resolve_ref_schema(written)
        described = {k: mapping.pop(k) for k in ("description",) if k in mapping}
        short_or_long = {"anyOf": [{"type": "string"}, dict(mapping)], **described}
        mapping.clear()
        mapping.update(short_or_long)
        return written


class Vpc(SpecModel):
    """The network that jobs and models run in."""

    subnets: list[FixedText] = Field(description="Subnet ids, 1 to 16.")
    security_group_ids: list[FixedText] = Field(description="Security group ids, 1 to 5.")


class Aws(SpecModel):
    """The account that the pipeline goes to."""

    region: FixedText = Field("us-east-1", description="AWS region, such as eu-central-1.")
    role: Annotated[FixedText, Member("RoleArn")] = Field(
        "arn:aws:iam::000000000000:role/placeholder",
        description="ARN of the role that jobs run with and models are registered with.",
    )
    deploy_role: FixedText | None = Field(
        None, description="ARN of the role that alone may create and update endpoints."
    )
    bucket: FixedText = Field(
        "pipelines-000000000000",
        description="S3 bucket for code, data and the outputs of runs.",
    )
    kms_key: Annotated[FixedText | None, Member("KmsKeyId", "VolumeKmsKeyId")] = Field(
        None, description="KMS key id or ARN for volumes and outputs."
    )
    vpc: Annotated[Vpc | None, Member("VpcConfig")] = Field(
        None, description="Network for jobs and models."
    )
    tags: Annotated[dict[str, FixedText], Member("Tags")] = Field(
        default_factory=dict, description="Tags of the pipeline and of what its steps create."
    )
    pip_index_url: FixedText | None = Field(
        None, description="Package index for `requirements:` in mode index."
    )

    @field_validator("bucket")
    @classmethod
    def _is_a_bucket_name(cls, bucket: str) -> str:
        if not _BUCKET_NAME.fullmatch(bucket):
            advice = "3 to 63 lowercase letters, digits, `-` and `.` (S3 bucket naming rules)"
            raise mistake("SP127", f"`{bucket}` is not a valid bucket name", advice)
        return bucket


class Parameter(SpecModel):
    """One pipeline parameter, given a value at every start."""

    type: ParameterType = Field(description="string, integer, float or boolean.")
    default: AnyScalar | None = Field(
        None, description="The value when none is given; without it one must be given."
    )
    enum: list[FixedText] | None = Field(
        None, description="The only values that are accepted (strings only)."
    )
    description: FixedText | None = Field(None, description="What it is for.")

    def takes(self, value: object) -> bool:
        """Return whether a value is of the parameter's type."""
        wanted: dict[str, type | tuple[type, ...]] = {
            "string": str,
            "integer": int,
            "float": (int, float),
            "boolean": bool,
        }
        return isinstance(value, wanted[self.type]) and (
            self.type == "boolean" or not isinstance(value, bool)
        )

    @model_validator(mode="after")
    def _default_fits(self) -> Self:
        value = self.default
        if value is not None and not self.takes(value):
            a = "an" if self.type == "integer" else "a"
            message = f"the default of {a} {self.type} parameter cannot be {describe(value)}"
            raise mistake("SP123", message, below="default")
        if self.enum is not None and self.type != "string":
            raise mistake("SP123", "`enum` is for string parameters only", below="enum")
        if self.enum == []:
            raise mistake(
                "SP123", "`enum` is empty", "list the values that are allowed", below="enum"
            )
        if self.enum is not None and value is not None and value not in self.enum:
            message = f"the default `{value}` is not in the enum"
            raise mistake("SP123", message, f"one of {', '.join(self.enum)}", below="default")
        return self


class FileSystem(SpecModel):
    """A folder of an EFS or FSx for Lustre file system; needs `aws.vpc` and mode File."""

    file_system_id: FixedText = Field(description="Id of the file system, such as fs-0123.")
    directory_path: FixedText = Field(description="The folder in it, such as /flights.")
    file_system_access_mode: Literal["ro", "rw"] = Field("ro", description="ro or rw.")


class DataSource(ShortFormModel):
    """Where data lives: one of a local path, S3, EFS or FSx."""

    one_of: ClassVar[tuple[str, ...]] = ("path", "s3", "efs", "fsx")

    path: FixedText | None = Field(
        None, description="Folder or file of the project; uploaded by content hash."
    )
    s3: Text | None = Field(None, description="s3:// prefix, used as it is.")
    efs: FileSystem | None = Field(None, description="Folder of an EFS file system.")
    fsx: FileSystem | None = Field(None, description="Folder of an FSx for Lustre file system.")
    immutable: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="The objects under this prefix never change: steps reading them may be cached.",
    )

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take an S3 URI as `s3`, any other text as `path`."""
        return {"s3": text} if text.startswith(("s3://", "${")) else {"path": text}

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        self.check_one_of("such as `s3: s3://bucket/prefix/`")
        return self


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

    from_: Annotated[Text, Member("S3Input.S3Uri", "S3DataSource.S3Uri")] = Field(
        alias="from", description="A `${data…}` or `${steps…}` reference, or an s3:// prefix."
    )
    mode: Annotated[
        Literal["File", "FastFile", "Pipe"], Member("S3Input.S3InputMode", "InputMode")
    ] = Field("File", description="File copies first, FastFile streams, Pipe is a FIFO.")
    distribution: Annotated[
        Literal["FullyReplicated", "ShardedByS3Key"], Member("S3DataDistributionType")
    ] = Field("FullyReplicated", description="Every host gets all objects, or a share of them.")
    content_type: FixedText | None = Field(None, description="MIME type (training only).")
    compression_type: Annotated[
        Literal["None", "Gzip"], Member("S3Input.S3CompressionType", "CompressionType")
    ] = Field("None", description="Gzip is for mode Pipe only.")
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

    kind: FixedText = Field(description="What the step does.")
    description: FixedText | None = Field(None, description="Shown in the console.")
    display_name: FixedText | None = Field(None, description="Shown instead of the step's name.")
    after: Annotated[dict[str, Trigger], Member("DependsOn")] = Field(
        default_factory=dict,
        description="Steps to wait for, with what has to have happened: "
        "completed, failed, stopped or any.",
    )

    @field_validator("after", mode="before")
    @classmethod
    def _after_as_mapping(cls, value: object) -> object:
        if not isinstance(value, list | str):
            return value
        names = [value] if isinstance(value, str) else value
        for name in names:
            if not isinstance(name, str):
                message = f"must be the names of steps, got {describe(name)}"
                raise mistake("SP121", message, "with a trigger it is `after: {STEP: failed}`")
        return dict.fromkeys(names, "completed")


class JobStep(StepSpec):
    """The keys of every step that runs a job."""

    image: Annotated[
        Text | None, Member("AppSpecification.ImageUri", "AlgorithmSpecification.TrainingImage")
    ] = Field(None, description="A name such as sklearn-1.9-cpu, or an image URI of your own.")
    instance_type: Annotated[
        Text, Member("ClusterConfig.InstanceType", "ResourceConfig.InstanceType")
    ] = Field("ml.m5.xlarge", description="Such as ml.m5.xlarge.")
    instance_count: Annotated[
        Integer, Member("ClusterConfig.InstanceCount", "ResourceConfig.InstanceCount")
    ] = Field(1, description="How many instances.")
    volume_size_in_gb: Annotated[
        Integer, Member("ClusterConfig.VolumeSizeInGB", "ResourceConfig.VolumeSizeInGB")
    ] = Field(30, description="Storage of each instance, in GB.")
    max_runtime_in_seconds: Annotated[Integer, Member("StoppingCondition.MaxRuntimeInSeconds")] = (
        Field(86_400, description="The job is stopped after this many seconds.")
    )
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
    cache: Annotated[Duration, Member("CacheConfig")] = Field(
        None, description="Reuse an earlier run of the same step for this long, such as 30d."
    )
    retry: Annotated[list[Retry], Member("RetryPolicies")] = Field(
        default_factory=no_entries, description="When to try again."
    )


class Defaults(SpecModel):
    """What steps take that do not say otherwise."""

    image: Text | None = Field(None, description="As in a step.")
    instance_type: Text | None = Field(None, description="As in a step.")
    instance_count: Integer | None = Field(None, description="As in a step.")
    volume_size_in_gb: Integer | None = Field(None, description="As in a step.")
    max_runtime_in_seconds: Integer | None = Field(None, description="As in a step.")
    enable_network_isolation: bool | None = Field(None, description="As in a step.")
    cache: Duration = Field(None, description="As in a step; never for registration's model.")
    retry: list[Retry] | None = Field(None, description="As in a step.")


class PipelineSpec(SpecModel):
    """A whole spec file, environment overlaid."""

    spec: Literal[1] = Field(description="Version of the spec language: 1.")
    pipeline: FixedText = Field(description="Name of the pipeline: letters, digits and hyphens.")
    description: FixedText | None = Field(None, description="What the pipeline is for.")
    aws: Aws | None = Field(None, description="The account it goes to.")
    parameters: dict[str, Parameter] = Field(
        default_factory=dict, description="Values that can be given at every start."
    )
    data: dict[str, DataSource] = Field(
        default_factory=dict, description="Where data lives, said once."
    )
    defaults: Defaults = Field(
        default_factory=Defaults,
        description="For every step that does not say otherwise.",
    )
    steps: dict[str, StepSpec] = Field(description="The steps by name.")


STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Names of steps and parameters (FACTS 1.3, 1.2)."""

PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
"""CreatePipeline's pattern of PipelineName: no underscore."""
