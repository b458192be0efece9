"""`kind: fail`: end the execution as failed, with a message."""

from typing import Annotated, Literal

from pydantic import Field

from pipelines.kinds.base.contract import EmitContext, EmittedStep, Kind
from pipelines.spec.members import RequestMember
from pipelines.spec.steps import StepSpec
from pipelines.spec.values import Text


class FailStep(StepSpec):
    """A step that fails the execution."""

    kind: Literal["fail"]
    message: Annotated[Text, RequestMember("ErrorMessage")] = Field(
        description="Why; references are filled in."
    )


def emit(step: FailStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Fail step."""
    return (EmittedStep(context.name, "Fail", {"ErrorMessage": context.resolve(step.message)}),)


_EXAMPLE = """\
reject:
  kind: fail
  message: the model is not good enough
"""

KIND = Kind(
    FailStep, "Fail", "End the execution as failed, with a message.", emit, example=_EXAMPLE
)
