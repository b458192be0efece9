"""IAM's decision on a request, as far as the policies of `infra` go: no variables, no NotAction.

moto's evaluator looks at actions alone. Source: IAM User Guide, "Policy evaluation logic" and
"IAM JSON policy elements: Condition operators". What is not known here is an error, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pipelines.json_types import Json, JsonObject

Context = Mapping[str, str | tuple[str, ...]]
"""Condition keys of a request; several values for a key that has several."""

_ELEMENTS = {"Sid", "Effect", "Action", "Resource", "Condition"}
_ARN_PARTS = 6


@dataclass(frozen=True, slots=True)
class Request:
    """What somebody asks of IAM.

    Args:
        action: such as s3:GetObject.
        resource: its ARN; `*` where the action takes none.
        context: the condition keys.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


def allowed(
    request: Request, policies: Iterable[JsonObject], boundary: JsonObject | None = None
) -> bool:
    """Return whether a principal with these identity policies, and a boundary, may do it."""
    statements = [one for policy in policies for one in _listed(policy["Statement"])]
    limits = None if boundary is None else _listed(boundary["Statement"])
    every = (*statements, *(limits or ()))
    if any(one["Effect"] == "Deny" and _matches(one, request) for one in every):
        return False
    return _allows(statements, request) and (limits is None or _allows(limits, request))


def _allows(statements: Iterable[JsonObject], request: Request) -> bool:
    return any(one["Effect"] == "Allow" and _matches(one, request) for one in statements)


def _matches(statement: JsonObject, request: Request) -> bool:
    if unknown := set(statement) - _ELEMENTS:
        raise NotImplementedError(f"elements {sorted(unknown)}")
    return (
        any(_like(one.lower(), request.action.lower()) for one in _listed(statement["Action"]))
        and any(arn_like(one, request.resource) for one in _listed(statement["Resource"]))
        and all(
            _holds(operator, key, tuple(map(str, _listed(values))), request.context)
            for operator, keys in (statement.get("Condition") or {}).items()
            for key, values in keys.items()
        )
    )


def _holds(operator: str, key: str, values: tuple[str, ...], context: Context) -> bool:
    """Return whether one condition holds."""
    given = {name.lower(): value for name, value in context.items()}.get(key.lower())
    if operator == "Null":
        return (given is None) == (values[0].lower() == "true")
    quantifier, _, name = operator.rpartition(":")
    name, optional = name.removesuffix("IfExists"), name.endswith("IfExists")
    has_not = name.startswith(("StringNot", "ArnNot"))
    compare = _OPERATORS[name.replace("Not", "", 1) if has_not else name]
    if given is None:
        return optional or has_not or quantifier == "ForAllValues"
    found = [
        any(compare(value, one) for value in values) != has_not
        for one in ((given,) if isinstance(given, str) else given)
    ]
    match quantifier:
        case "":
            if not isinstance(given, str):
                raise NotImplementedError(f"{key} has several values, and no quantifier")
            return found[0]
        case "ForAnyValue":
            return any(found)
        case "ForAllValues":
            return all(found)
        case _:
            raise NotImplementedError(operator)


def _like(pattern: str, text: str) -> bool:
    words = (".*" if c == "*" else "." if c == "?" else re.escape(c) for c in pattern)
    return re.fullmatch("".join(words), text, re.DOTALL) is not None


def arn_like(pattern: str, arn: str) -> bool:
    """Return whether an ARN matches: part by part, no `*` goes over a colon before the sixth."""
    if "${" in pattern:
        raise NotImplementedError(f"the variable in {pattern}")
    if pattern == "*":
        return True
    wanted, given = pattern.split(":", _ARN_PARTS - 1), arn.split(":", _ARN_PARTS - 1)
    return len(wanted) == len(given) and all(map(_like, wanted, given))


_OPERATORS: Mapping[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, given: value == given,
    "StringEqualsIgnoreCase": lambda value, given: value.lower() == given.lower(),
    "StringLike": _like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda value, given: value.lower() == given.lower(),
}


def _listed(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]
