"""Condition: compares resolved values (FACTS 1.5); the top-level list is ANDed.

`Equals` requires both sides to have one type, like the SDK's local mode: `1` and `1.0` do not. The
ordering conditions require sides that can be ordered. What the service does with mixed types is
not documented; failing is the cautious choice.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping

from pipelines.backends.local.executors.contract import StepCall, StepOutcome
from pipelines.errors import PipelinesError
from pipelines.execution.status import StepStatus
from pipelines.json_types import Json, JsonObject

_ORDER: Mapping[str, Callable[[Json, Json], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}


class ConditionError(PipelinesError):
    """A condition cannot be decided; the step fails with this reason."""


def execute(call: StepCall) -> StepOutcome:
    """Decide; the engine then runs the steps of the branch."""
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
        f"a condition of type {kind} with the members {', '.join(condition)} is not valid",
        f"the types are {known}",
    )


def _equal(left: Json, right: Json) -> bool:
    if not isinstance(left, type(right)) and not isinstance(right, type(left)):
        raise ConditionError(
            f"Equals compares values of one type, not {_described(left)} and {_described(right)}"
        )
    return bool(left == right)


def _ordered(kind: str, left: Json, right: Json) -> bool:
    try:
        return _ORDER[kind](left, right)
    except TypeError:
        raise ConditionError(
            f"{kind} cannot compare {_described(left)} and {_described(right)}"
        ) from None


def _described(value: Json) -> str:
    """Write a value with its type, in the terms of pipeline parameters and JSON."""
    text = json.dumps(value)
    match value:
        case None | bool():
            return text
        case int():
            return f"the integer {text}"
        case float():
            return f"the float {text}"
        case str():
            return f"the string {text}"
        case _:
            return f"the {'list' if isinstance(value, list) else 'object'} {text}"
