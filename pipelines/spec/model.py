"""A whole spec file: the account, parameters, data, defaults, and the steps by name."""

import re
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, ValidationInfo, field_validator, model_validator

from pipelines.json_types import JsonObject
from pipelines.spec.base import SELDOM, Seldom, ShortFormModel, SpecModel, late
from pipelines.spec.instances import DefaultInstanceTypes
from pipelines.spec.members import RequestMember
from pipelines.spec.s3_places import S3Place
from pipelines.spec.steps import Retry, StepSpec
from pipelines.spec.values import (
    AnyFixedText,
    AnyScalar,
    Duration,
    FixedText,
    Integer,
    Text,
    describe,
    mistake,
)

if TYPE_CHECKING:
    from pipelines.spec.automation import Notify, Schedule
    from pipelines.spec.networks import FileSystem, Vpc
else:
    FileSystem = late("pipelines.spec.networks", "FileSystem")
    Notify = late("pipelines.spec.automation", "Notify")
    Schedule = late("pipelines.spec.automation", "Schedule")
    Vpc = late("pipelines.spec.networks", "Vpc")

ParameterType: TypeAlias = Literal["string", "integer", "float", "boolean"]
_ROLE_ARN = re.compile(r"arn:(aws[a-z-]*):iam::(\d{12}):role/[\w+=,.@/-]+", re.ASCII)
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d{1,2}")
_URL = r"(?i:https?://[^\s/]+(/\S*)?|file:///\S+)"
_BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")


class Aws(SpecModel):
    """The account that the pipeline goes to."""

    region: FixedText = Field("us-east-1", description="AWS region, such as eu-central-1.")
    role: Annotated[FixedText, RequestMember("RoleArn")] = Field(
        "arn:aws:iam::000000000000:role/placeholder",
        description="ARN of the pipeline's role: it starts jobs, passes roles, registers models.",
    )
    job_role: FixedText | None = Field(
        None,
        description="ARN of the role that users' code runs with, in jobs and in model servers; "
        "`role` where it is not given.",
    )
    deploy_role: FixedText | None = Field(
        None,
        description="ARN of the role that alone may create and update endpoints, and that "
        "packages models; `role` where it is not given.",
    )
    bucket: FixedText = Field(
        "pipelines-000000000000",
        description="S3 bucket for code, data and the outputs of runs.",
    )
    kms_key: Annotated[FixedText | None, RequestMember("KmsKeyId", "VolumeKmsKeyId")] = Field(
        None,
        description="KMS key id or ARN for outputs, and for volumes: not of instances with local "
        "storage, which encrypt it by themselves.",
    )
    vpc: Annotated[Seldom[Vpc], RequestMember("VpcConfig")] = Field(
        None, description="Network for jobs and models."
    )
    tags: Annotated[dict[str, AnyFixedText], RequestMember("Tags")] = Field(
        default_factory=dict, description="Tags of the pipeline and of what its steps create."
    )
    pip_index_url: FixedText | None = Field(
        None, description="Package index for `requirements:` in mode index."
    )

    @field_validator("region")
    @classmethod
    def _is_a_region(cls, region: str) -> str:
        if not _REGION.fullmatch(region):
            raise mistake("SP122", f"`{region}` is not a region", "such as eu-central-1")
        return region

    @field_validator("pip_index_url")
    @classmethod
    def _is_an_index(cls, url: str | None) -> str | None:
        if url is not None and not re.fullmatch(_URL, url):
            advice = "such as https://pypi.org/simple"
            raise mistake("SP122", f"`{url}` is not the URL of a package index", advice)
        return url

    @field_validator("bucket")
    @classmethod
    def _is_a_bucket_name(cls, bucket: str) -> str:
        if not _BUCKET_NAME.fullmatch(bucket):
            advice = "3 to 63 lowercase letters, digits, `-` and `.` (S3 bucket naming rules)"
            raise mistake("SP127", f"`{bucket}` is not a valid bucket name", advice)
        return bucket

    @field_validator("role", "job_role", "deploy_role")
    @classmethod
    def _is_a_role_of_the_account(cls, arn: str | None, info: ValidationInfo) -> str | None:
        if arn is None:
            return None
        owner = _owner(arn)
        if owner is None:
            advice = "such as arn:aws:iam::111122223333:role/churn"
            raise mistake("SP131", f"`{arn}` is not the ARN of a role", advice)
        pipelines_owner = _owner(info.data.get("role", "")) or owner
        if owner != pipelines_owner:
            accounts = f"`{info.field_name}` is of {owner}, `role` of {pipelines_owner}"
            advice = "name roles of one account; per environment, overlay all of them"
            raise mistake("SP131", accounts, advice)
        return arn

    @property
    def runs_code_as(self) -> str:
        """The role that users' code runs with."""
        return self.job_role or self.role

    @property
    def deploys_as(self) -> str:
        """The role that packages models and changes endpoints."""
        return self.deploy_role or self.role


def _owner(arn: str) -> str | None:
    """Name the account of a role, and its partition; None where it is not the ARN of one."""
    found = _ROLE_ARN.fullmatch(arn)
    if found is None:
        return None
    partition, account = found.groups()
    return f"account {account}" if partition == "aws" else f"account {account} of {partition}"


class Parameter(SpecModel):
    """One pipeline parameter, given a value at every start."""

    type: ParameterType = Field(description="string, integer, float or boolean.")
    default: AnyScalar | None = Field(
        None, description="The value when none is given; without it one must be given."
    )
    enum: list[AnyFixedText] | None = Field(
        None, description="The only values that are accepted (strings only)."
    )
    description: AnyFixedText | None = Field(None, description="What it is for.")

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


class DataSource(ShortFormModel):
    """Where data lives: one of a local path, S3, EFS or FSx."""

    one_of: ClassVar[tuple[str, ...]] = ("path", "s3", "efs", "fsx")

    path: FixedText | None = Field(
        None, description="Folder or file of the project; uploaded by content hash."
    )
    s3: S3Place | None = Field(None, description="s3:// prefix, used as it is.")
    efs: Seldom[FileSystem] = Field(None, description="Folder of an EFS file system.")
    fsx: Seldom[FileSystem] = Field(None, description="Folder of an FSx for Lustre file system.")
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


class Defaults(SpecModel):
    """What steps take that do not say otherwise."""

    image: Text | None = Field(None, description="As in a step.")
    instance_type: DefaultInstanceTypes = Field(None, description="As in a step.")
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
    description: AnyFixedText | None = Field(None, description="What the pipeline is for.")
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
    schedule: dict[str, Annotated[Schedule, SELDOM]] = Field(
        default_factory=dict, description="Times at which it starts by itself, by name."
    )
    notify: Seldom[Notify] = Field(
        None, description="Who hears of failed executions, waiting approvals, failed deployments."
    )
    steps: dict[str, StepSpec] = Field(description="The steps by name.")


STEP_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""Names of steps and parameters (FACTS 1.3, 1.2)."""

PIPELINE_NAME = re.compile(r"[a-zA-Z0-9](-*[a-zA-Z0-9]){0,255}")
"""CreatePipeline's pattern of PipelineName: no underscore."""
