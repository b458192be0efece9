"""`kind: transform`: the records of objects in S3 through a model, in a Transform job.

Emits the model and the job, and before them, where the spec names serving code, the cached step
that packs it into the archive, as a registration does. The job runs with the model's role, and is
never cached: a model has a new name in every execution (decision 4).
"""

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import Field, model_validator

from pipelines.diagnostics import Finding
from pipelines.grammar.functions import Get
from pipelines.json_types import JsonObject
from pipelines.kinds.base.batch import BatchKeys, BatchRequest, batch_checks
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.extra import with_extra
from pipelines.kinds.base.jobs import output_uri, step_keys, tags, text, vpc
from pipelines.kinds.base.packaging import PACKAGING_TAKES, ServedModel
from pipelines.kinds.base.serving import Packaging, Serving, check_serving
from pipelines.spec.base import Seldom
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import ExtraMembers, Input, JobStep, Retry, StepSpec
from pipelines.spec.values import AnyScalar, Text, mistake, no_entries

PREDICTIONS: Final = "predictions"
_PACKAGE: Final = re.compile(r"arn:[a-z-]+:sagemaker:[a-z0-9-]+:\d{12}:model-package/\S+")
_OF_A_VERSION: Final = frozenset({"content_types", "response_types", "instance_types"})
_GROUP_AND_NUMBER: Final = re.compile(r"[a-zA-Z0-9-]+(/\d+)?")


class TransformStep(BatchKeys, StepSpec):
    """A batch of records through a model; the results lie in S3."""

    one_of: ClassVar[tuple[str, ...]] = ("model", "version")
    takes: ClassVar[tuple[str, ...]] = (
        *PACKAGING_TAKES,
        "instance_type",
        "instance_count",
        "enable_network_isolation",
    )

    kind: Literal["transform"]
    model: Annotated[
        Input | None,
        RequestMember("ProcessingInputs", named_by="InputName", entry="model"),
    ] = Field(
        None,
        description="A model archive, such as ${steps.train.model}; "
        "with `serving`, which serves it.",
    )
    serving: Annotated[Serving | None, RequestMember("PrimaryContainer", "AppSpecification")] = (
        Field(None, description="The code and image that serve `model`.")
    )
    packaging: Seldom[Packaging] = Field(
        None, description="The job that adds the serving code to the archive."
    )
    version: Annotated[Text | None, RequestMember("PrimaryContainer.ModelPackageName")] = Field(
        None,
        description="Instead of `model`: an approved version in a registry, by its ARN, "
        "such as ${steps.register.package} or ${parameters.version}.",
    )
    environment: dict[str, AnyScalar] = Field(
        default_factory=dict,
        description="Variables of the model server for this job; never a secret.",
    )
    enable_network_isolation: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="The model server has no network.",
    )
    retry: Annotated[list[Retry], RequestMember("RetryPolicies")] = Field(
        default_factory=no_entries, description="When to try the job again."
    )
    extra: ExtraMembers = Field(default_factory=dict)

    @model_validator(mode="after")
    def _one_model(self) -> Self:
        self.check_one_of("such as `model: ${steps.train.model}`")
        beside = [key for key in ("serving", "packaging") if getattr(self, key) is not None]
        if self.version is not None and beside:
            message = "cannot be given with `version`"
            help_ = "remove it: the version in the registry has its image and code"
            raise mistake("SP125", message, help_, below=beside[0])
        if self.version is None and self.serving is None:
            message = "needs `serving` beside it"
            advice = "name the image in it, and the folder of your code or `as_is: true`"
            raise mistake("SP125", message, advice, below="model")
        return self


def outputs(name: str, _step: TransformStep) -> Mapping[str, Output]:
    """`predictions`: where the results lie, `<object>.out` for each object of the input."""
    return {PREDICTIONS: Output(Get(f"Steps.{name}.TransformOutput.S3OutputPath"))}


def needs(_name: str, step: TransformStep) -> StepNeeds:
    """What serves the model, and what packing it needs."""
    served = _served(step)
    return StepNeeds() if served is None else served.needs(step.instance_type)


def _served(step: TransformStep) -> ServedModel | None:
    if step.model is None or step.serving is None:
        return None
    return ServedModel(step.model, step.serving, step.packaging or Packaging.model_construct())


def checks(step: TransformStep) -> Iterator[Finding]:
    """A version that is written out is the ARN of one."""
    yield from batch_checks(step)
    if step.serving is not None:
        yield from check_serving(step.serving, step.packaging)
        for key in sorted(step.serving.model_fields_set & _OF_A_VERSION):
            message = f"`{key}` has no effect: it describes a version in a registry"
            yield Finding("SP125", message, ("serving", key), "key", "remove it")
    version = step.version
    if isinstance(version, str) and not _PACKAGE.fullmatch(version):
        advice = "use `${steps.NAME.package}` of a registration, or a parameter"
        if _GROUP_AND_NUMBER.fullmatch(version):
            advice += "; for the newest approved version of a group, use `kind: deployment`"
        message = f"`version` must be the ARN of a model package, got `{version}`"
        yield Finding("SP130", message, ("version",), help=advice)


def emit(step: TransformStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """The packing where there is serving code, the model, and the job."""
    served = _served(step)
    packed = () if served is None else served.packed(context)
    package = {"ModelPackageName": context.resolve(step.version)}
    model: JsonObject = {
        "ExecutionRoleArn": context.aws.runs_code_as,
        "PrimaryContainer": package if served is None else served.container(context),
        **vpc(context),
        **tags(context),
    }
    if step.enable_network_isolation:
        model["EnableNetworkIsolation"] = True
    name = f"{context.name}-model"
    job_step = JobStep.of_program(retry=step.retry)
    output = output_uri(context, context.name, PREDICTIONS)
    source = context.resolve(step.input.from_)
    arguments = {
        "ModelName": Get(f"Steps.{name}.ModelName"),
        **BatchRequest(step, output, source, context.resolve, context.aws.kms_key).written(),
        **tags(context),
    }
    if step.environment:
        arguments["Environment"] = {k: text(v, context) for k, v in step.environment.items()}
    job = EmittedStep(context.name, "Transform", arguments, step_keys(job_step, context))
    job = with_extra(job, step.extra, context)
    return (*packed, EmittedStep(name, "Model", model), job)


_EXAMPLE = """\
predict:
  kind: transform
  model: ${steps.train.model}
  serving:
    source: serving/
    image: sklearn-1.9-cpu
  input: ${data.flights}
  content_type: text/csv
  split: line
  assemble: line
  join: input
"""

KIND = Kind(
    TransformStep,
    "Transform",
    "Put the records of objects through a model and keep the results.",
    emit,
    outputs,
    needs,
    checks,
    example=_EXAMPLE,
    further=("Processing", "Model"),
)
