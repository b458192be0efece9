"""Condition: compares resolved values (FACTS §1.5); the top list is ANDed.

`Equals` wants both sides of one type, as the SDK's local mode does: `1` and `1.0` are not. The
ordering conditions want sides that can be ordered. What the service does with mixed types is not
documented; failing here is the careful reading.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping

from pipelines.backends.local.executors.contract import StepCall, StepOutcome, StepStatus
from pipelines.errors import PipelinesError
from pipelines.json_types import Json, JsonObject

_ORDER: Mapping[str, Callable[[Json, Json], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


class ConditionError(PipelinesError):
    """A condition cannot be decided: the step fails with this reason."""


def execute(call: StepCall) -> StepOutcome:
    """Decide; the engine runs the steps of the branch."""
    holds = all(decide(condition) for condition in call.arguments.get("Conditions", []))
    outcome = "True" if holds else "False"
    return StepOutcome(
        StepStatus.SUCCEEDED,
        properties={"Outcome": outcome},
        metadata={"Condition": {"Outcome": outcome}},
    )


def decide(condition: JsonObject) -> bool:
    """Decide one condition.

    Raises:
        ConditionError: its Type is unknown, a member is missing, or the values cannot be compared.
    """
    kind = condition.get("Type")
    match condition:
        case {"Type": "Equals", "LeftValue": left, "RightValue": right}:
            return _equal(left, right)
        case {"Type": str(), "LeftValue": left, "RightValue": right} if kind in _ORDER:
            return _ordered(str(kind), left, right)
        case {"Type": "In", "QueryValue": value, "Values": list(values)}:
            return value in values
        case {"Type": "Not", "Condition": dict(inner)}:
            return not decide(inner)
        case {"Type": "Or", "Conditions": list(alternatives)}:
            return any(decide(alternative) for alternative in alternatives)
        case _:
            pass
    known = ", ".join(("Equals", *_ORDER, "In", "Not", "Or"))
    raise ConditionError(
        f"cannot read a condition of type {kind} with the members {', '.join(condition)}",
        f"the types are {known}",
    )


def _equal(left: Json, right: Json) -> bool:
    if not isinstance(left, type(right)) and not isinstance(right, type(left)):
        raise ConditionError(
            f"LeftValue [{left}] of type [{type(left).__name__}] and RightValue [{right}] of type "
            f"[{type(right).__name__}] are not of the same type."
        )
    return bool(left == right)


def _ordered(kind: str, left: Json, right: Json) -> bool:
    try:
        return _ORDER[kind](left, right)
    except TypeError:
        raise ConditionError(
            f"Condition of type [{kind}] not supported between [{left}] of type "
            f"[{type(left).__name__}] and [{right}] of type [{type(right).__name__}]"
        ) from None
