"""`kind: condition`: one expression decides which of two branches runs."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from pipelines.grammar.functions import Get
from pipelines.grammar.numbers import as_float
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import EmitContext, EmittedStep, Kind, Output
from pipelines.spec.expressions import (
    Comparison,
    Conjunction,
    Disjunction,
    Expression,
    Membership,
    Negation,
    Operand,
)
from pipelines.spec.members import RequestMember
from pipelines.spec.references import Reference
from pipelines.spec.steps import StepSpec
from pipelines.spec.values import Condition, FixedText, no_entries
from pipelines.steptypes.condition import ELSE_STEPS, IF_STEPS

_TYPES = {
    "==": "Equals",
    ">": "GreaterThan",
    ">=": "GreaterThanOrEqualTo",
    "<": "LessThan",
    "<=": "LessThanOrEqualTo",
}


class ConditionStep(StepSpec):
    """A choice between two branches of steps."""

    expressions: ClassVar[tuple[str, ...]] = ("if",)

    kind: Literal["condition"]
    if_: Annotated[Condition, RequestMember("Conditions")] = Field(
        alias="if",
        description="An expression such as steps.evaluate.report.auc >= parameters.min_auc.",
    )
    then: Annotated[list[FixedText], RequestMember(IF_STEPS.argument)] = Field(
        default_factory=no_entries, description="Steps that run when it holds."
    )
    else_: Annotated[list[FixedText], RequestMember(ELSE_STEPS.argument)] = Field(
        alias="else", default_factory=no_entries, description="Steps that run when it does not."
    )


def outputs(name: str, _step: ConditionStep) -> Mapping[str, Output]:
    """`outcome`, whether the condition held."""
    return {"outcome": Output(Get(f"Steps.{name}.Outcome"))}


def emit(step: ConditionStep, context: EmitContext) -> tuple[EmittedStep, ...]:
    """One Condition step; the service ANDs the list of conditions (FACTS 1.5)."""
    top = step.if_.parts if isinstance(step.if_, Conjunction) else (step.if_,)
    arguments: JsonObject = {"Conditions": [_condition(part, context) for part in top]}
    branches = {IF_STEPS.argument: tuple(step.then), ELSE_STEPS.argument: tuple(step.else_)}
    return (EmittedStep(context.name, "Condition", arguments, branches=branches),)


def _condition(expression: Expression, context: EmitContext) -> JsonObject:
    match expression:
        case Comparison(left=left, operator="!=", right=right):
            return _not(_condition(Comparison(left, "==", right), context))
        case Comparison(left=left, operator=operator, right=right):
            return {
                "Type": _TYPES[operator],
                "LeftValue": context.resolve(_as_float(left, right, context)),
                "RightValue": context.resolve(_as_float(right, left, context)),
            }
        case Membership(query=query, values=values):
            return {
                "Type": "In",
                "QueryValue": context.resolve(query),
                "Values": [context.resolve(_as_float(value, query, context)) for value in values],
            }
        case Negation(inner=inner):
            return _not(_condition(inner, context))
        case Disjunction(parts=parts):
            return {"Type": "Or", "Conditions": [_condition(part, context) for part in parts]}
        case Conjunction(parts=parts):
            denied = [_not(_condition(part, context)) for part in parts]
            return _not({"Type": "Or", "Conditions": denied})


def _as_float(value: Operand, other: Operand, context: EmitContext) -> Operand:
    """Write `1` as `1.0` beside a Float parameter: equality wants one type (FACTS 1.5)."""
    if not isinstance(value, int) or isinstance(value, bool) or not isinstance(other, Reference):
        return value
    parameter = context.spec.parameters.get(other.below(1)) if other.root == "parameters" else None
    if parameter is None or parameter.type != "float":
        return value
    written = as_float(value)
    return value if written is None else written


def _not(condition: JsonObject) -> JsonObject:
    return {"Type": "Not", "Condition": condition}


_EXAMPLE = """\
good-enough:
  kind: condition
  if: steps.evaluate.report.auc >= 0.8
  then: [register, deploy]
  else: [reject]
"""

KIND = Kind(
    ConditionStep,
    "Condition",
    "Choose between two branches of steps by an expression.",
    emit,
    outputs,
    example=_EXAMPLE,
)
