"""`kind: raw`: a step of any Type, its arguments as they are written."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator

from pipelines.diagnostics import Finding
from pipelines.grammar.functions import Get
from pipelines.json_types import Json, JsonObject
from pipelines.kinds.base.contract import EmitContext, EmittedStep, Kind, Output
from pipelines.kinds.base.extra import resolved
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import StepSpec
from pipelines.spec.values import FixedText, RequestMembers, mistake
from pipelines.steptypes import UNDOCUMENTED, find, meant
from pipelines.steptypes import names as type_names

_OWN_KEYS = {
    "Name": "the step's own name",
    "Type": "the key `type`",
    "Arguments": "the key `arguments`",
    "DependsOn": "the key `after`",
    "DisplayName": "the key `display_name`",
    "Description": "the key `description`",
}


class RawStep(StepSpec):
    """A step of a SageMaker Type that no other kind emits."""

    kind: Literal["raw"]
    type: FixedText = Field(
        description="The Type, such as Lambda, Callback, EMR, EMRServerless, AutoML or ForEach."
    )
    arguments: Annotated[RequestMembers, RequestMember()] = Field(
        default_factory=dict,
        description="The step's `Arguments`, named as in SageMaker's API; references are filled "
        "in at any depth.",
    )
    step_keys: Annotated[RequestMembers, RequestMember()] = Field(
        default_factory=dict,
        description="What stands beside `Arguments`, such as FunctionArn and OutputParameters of "
        "a Lambda step, PropertyFiles, CacheConfig or RetryPolicies.",
    )

    @field_validator("type", mode="after")
    @classmethod
    def _known_type(cls, value: str) -> str:
        if find(value) is None and value not in UNDOCUMENTED:
            close = meant(value)
            advice = f"did you mean `{close}`?" if close else f"known are {', '.join(type_names())}"
            raise mistake("SP505", f"`{value}` is not a step Type", advice)
        return value


def outputs(name: str, step: RawStep) -> Mapping[str, Output]:
    """`properties.PATH`; its PropertyFiles with values below, its OutputParameters, by name."""
    files = {file: Output(json=(name, file)) for file in _listed(step, "PropertyFiles")}
    given = _listed(step, "OutputParameters")
    values = {one: Output(Get(f"Steps.{name}.OutputParameters['{one}']")) for one in given}
    return {**values, **files}


def _listed(step: RawStep, key: str) -> list[str]:
    """Return the names of what a key lists beside the arguments."""
    member = {"PropertyFiles": "PropertyFileName", "OutputParameters": "OutputName"}[key]
    listed: Json = step.step_keys.get(key)
    entries = listed if isinstance(listed, list) else []
    names = [one.get(member) for one in entries if isinstance(one, dict)]
    return [name for name in names if isinstance(name, str)]


def checks(step: RawStep) -> Iterator[Finding]:
    """Nothing is written twice."""
    for key, own in _OWN_KEYS.items():
        if key in step.step_keys:
            path = ("step_keys", key)
            yield Finding("SP134", f"`{key}` is {own}", path, at="key", help="remove it here")


def emit(step: RawStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """The step, its references resolved."""
    arguments: JsonObject = resolved(step.arguments, context)
    keys: JsonObject = resolved(step.step_keys, context)
    return (EmittedStep(context.name, step.type, arguments, keys),)


_EXAMPLE = """\
notify:
  kind: raw
  type: Lambda
  step_keys:
    FunctionArn: arn:aws:lambda:us-east-1:111122223333:function:notify
    OutputParameters:
      - {OutputName: ticket, OutputType: String}
  arguments:
    model: ${steps.train.model}
"""

KIND = Kind(
    RawStep,
    "",
    "Write a step of any SageMaker Type yourself.",
    emit,
    outputs,
    checks=checks,
    example=_EXAMPLE,
    type_key="type",
)
