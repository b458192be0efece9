"""`kind: registration`: a model package in the registry, serving code included (decision 3).

Emits up to three steps: `<name>-package`, a cached Processing job in the serving image that adds
code and vendored requirements to the model archive; `<name>-sample`, one that sends it a request,
with the role of users' code; and RegisterModel. The archive goes below `packages/`,
written by the role that deploys: code of jobs cannot replace what is approved. An archive that is
registered as it is needs no packaging.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.diagnostics import Finding
from pipelines.diagnostics.nearest import nearest
from pipelines.grammar.functions import Get
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import (
    EmitContext,
    EmittedStep,
    Kind,
    Output,
    StepNeeds,
)
from pipelines.kinds.base.extra import with_extra
from pipelines.kinds.base.jobs import text
from pipelines.kinds.base.packaging import PACKAGING_TAKES, SAMPLE, ServedModel
from pipelines.kinds.base.sample import ServedSample
from pipelines.kinds.base.serving import Packaging, Serving, check_serving
from pipelines.spec.base import Seldom, ShortFormModel, late
from pipelines.spec.commit import COMMIT, UNKNOWN
from pipelines.spec.members import RequestMember, members_of
from pipelines.spec.s3_places import S3Place
from pipelines.spec.steps import ExtraMembers, Input, StepSpec
from pipelines.spec.values import AnyFixedText, AnyScalar, Text

if TYPE_CHECKING:
    from pipelines.kinds.base.documents import DriftBaselines, ModelCard
else:
    DriftBaselines = late("pipelines.kinds.base.documents", "DriftBaselines")
    ModelCard = late("pipelines.kinds.base.documents", "ModelCard")


class ModelMetrics(ShortFormModel):
    """Files with what is known of the model: `s3://` URIs or references to reports."""

    model_quality: S3Place | None = Field(None, description="Metrics of the model, JSON.")
    model_data_quality: S3Place | None = Field(None, description="Statistics of its data, JSON.")
    bias: S3Place | None = Field(None, description="Bias report, JSON.")
    explainability: S3Place | None = Field(None, description="Explainability report, JSON.")

    @classmethod
    def long_form(cls, text: str) -> JsonObject:
        """Take the text as `model_quality`."""
        return {"model_quality": text}


class RegistrationStep(StepSpec):
    """A new version of a model in a model package group."""

    takes: ClassVar[tuple[str, ...]] = PACKAGING_TAKES

    kind: Literal["registration"]
    group: Annotated[Text, RequestMember("ModelPackageGroupName")] = Field(
        description="The model package group."
    )
    model: Annotated[
        Input, RequestMember("ProcessingInputs", named_by="InputName", entry="model")
    ] = Field(description="The model archive, such as ${steps.train.model}.")
    serving: Annotated[Serving, RequestMember("InferenceSpecification", "AppSpecification")] = (
        Field(description="The code and image that serve it.")
    )
    packaging: Seldom[Packaging] = Field(
        None, description="The job that adds the serving code to the archive."
    )
    sample: Seldom[ServedSample] = Field(
        None,
        description="A request that the packaged model has to answer before it is registered.",
    )
    metrics: Annotated[ModelMetrics | None, RequestMember("ModelMetrics")] = Field(
        None, description="A report, such as ${steps.evaluate.report}, or several by sort."
    )
    drift_baselines: Annotated[Seldom[DriftBaselines], RequestMember("DriftCheckBaselines")] = (
        Field(None, description="Baselines for drift checks.")
    )
    model_card: Seldom[ModelCard] = Field(None, description="The model card.")
    approval_status: Annotated[Text, RequestMember("ModelApprovalStatus")] = Field(
        "PendingManualApproval",
        description="Approved, Rejected or PendingManualApproval.",
    )
    metadata: Annotated[dict[str, AnyScalar], RequestMember("CustomerMetadataProperties")] = Field(
        default_factory=dict, description="Texts to keep with the version."
    )
    model_description: Annotated[AnyFixedText | None, RequestMember("ModelPackageDescription")] = (
        Field(None, description="What this model is.")
    )
    extra: ExtraMembers = Field(default_factory=dict)


def outputs(name: str, _step: RegistrationStep) -> Mapping[str, Output]:
    """`package`, the ARN of the version; `group`; `version`, its number."""
    return {
        "package": Output(Get(f"Steps.{name}.ModelPackageArn")),
        "group": Output(Get(f"Steps.{name}.ModelPackageGroupName"), repeats="group"),
        "version": Output(Get(f"Steps.{name}.ModelPackageVersion")),
    }


def needs(_name: str, step: RegistrationStep) -> StepNeeds:
    """The serving image, and the packaging program's bundle with the serving code in it."""
    return _served(step).needs(None)


def checks(step: RegistrationStep) -> Iterator[Finding]:
    """The approval status is one of the API's words, unless a parameter says it."""
    yield from check_serving(step.serving, step.packaging)
    allowed = ("Approved", "Rejected", "PendingManualApproval")
    if isinstance(step.approval_status, str) and step.approval_status not in allowed:
        message = f"`approval_status` cannot be `{step.approval_status}`"
        close = nearest(step.approval_status, allowed)
        advice = f"did you mean `{close}`?" if close else f"one of {', '.join(allowed)}"
        yield Finding("SP122", message, ("approval_status",), help=advice)


def emit(step: RegistrationStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """The packaging step where something is added, the sample where there is one, RegisterModel."""
    arguments: JsonObject = {
        "ModelPackageGroupName": context.resolve(step.group),
        "ModelApprovalStatus": context.resolve(step.approval_status),
        "InferenceSpecification": _inference(step, context),
        "MetadataProperties": {
            "CommitId": Get(f"Parameters.{COMMIT}"),
            "GeneratedBy": Get("Execution.PipelineExecutionArn"),
        },
        **_documents(step, context),
    }
    served = _served(step)
    waits = {"DependsOn": [f"{context.name}-{SAMPLE}"]} if step.sample else {}
    register = EmittedStep(
        context.name, "RegisterModel", arguments, waits, parameters={COMMIT: UNKNOWN}
    )
    registered = with_extra(register, step.extra, context)
    return (*served.packed(context), *served.asked(context), registered)


def _served(step: RegistrationStep) -> ServedModel:
    """Return what the version consists of."""
    return ServedModel(
        step.model, step.serving, step.packaging or Packaging.model_construct(), step.sample
    )


def _inference(step: RegistrationStep, context: EmitContext) -> JsonObject:
    serving = step.serving
    container = _served(step).container(context)
    specification: JsonObject = {
        "Containers": [container],
        "SupportedContentTypes": list(serving.content_types),
        "SupportedResponseMIMETypes": list(serving.response_types),
    }
    if serving.instance_types:
        specification["SupportedRealtimeInferenceInstanceTypes"] = list(serving.instance_types)
    return specification


def _documents(step: RegistrationStep, context: EmitContext) -> JsonObject:
    """What the version says of itself: metrics, baselines, card, metadata."""
    documents: JsonObject = {}
    if step.metrics:
        documents["ModelMetrics"] = _metrics(step.metrics, context)
    if step.drift_baselines:
        documents["DriftCheckBaselines"] = _metrics(step.drift_baselines, context)
    if step.model_card:
        documents["ModelCard"] = members_of(step.model_card)
    if step.metadata:
        documents["CustomerMetadataProperties"] = {
            key: text(value, context) for key, value in step.metadata.items()
        }
    if step.model_description:
        documents["ModelPackageDescription"] = step.model_description
    return documents


_METRIC_MEMBERS = {
    "model_quality": ("ModelQuality", "Statistics"),
    "model_data_quality": ("ModelDataQuality", "Statistics"),
    "bias": ("Bias", "Report"),
    "explainability": ("Explainability", "Report"),
}


def _metrics(metrics: "ModelMetrics | DriftBaselines", context: EmitContext) -> JsonObject:
    """`ModelMetrics` or `DriftCheckBaselines` (FACTS 6)."""
    written: JsonObject = {}
    for key, (member, part) in _METRIC_MEMBERS.items():
        uri = getattr(metrics, key, None)
        if uri is not None:
            file = {"ContentType": "application/json", "S3Uri": context.resolve(uri)}
            written[member] = {part: file}
    return written


_EXAMPLE = """\
register:
  kind: registration
  group: flights
  model: ${steps.train.model}
  serving:
    source: serving/
    image: sklearn-1.9-cpu
"""

KIND = Kind(
    RegistrationStep,
    "RegisterModel",
    "Add serving code to a model and register it as a new version.",
    emit,
    outputs,
    needs,
    checks,
    makes={"model-package-group": "group"},
    example=_EXAMPLE,
    further=("Processing",),
)
