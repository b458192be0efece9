"""EventBridge's event patterns: (pattern, event) → whether a rule takes the event.

As the user guide has them ("Amazon EventBridge event patterns", "Comparison operators for use in
event patterns"): fields are joined by and, the values of a field by or; a field whose value in the
event is a list matches when one of its elements does; `exists` looks at leaf nodes alone. What the
guide does not have is refused, as PutRule does, so that no rule passes by a mistake in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pipelines.json_types import Json, JsonObject

_MISSING: Final = object()


class InvalidPatternError(Exception):
    """PutRule would answer InvalidEventPatternException."""


def matches(pattern: JsonObject, event: JsonObject) -> bool:
    """Return whether a rule with this pattern takes an event.

    Raises:
        InvalidPatternError: the service would refuse the pattern.
    """
    _require_valid(pattern)
    return _matches(pattern, event)


def _matches(pattern: Mapping[str, Json], event: Any) -> bool:
    if isinstance(event, list):
        return any(_matches(pattern, one) for one in event)
    return all(
        any(_matches(one, event) for one in expected)
        if name == "$or"
        else _field(expected, event.get(name, _MISSING) if isinstance(event, dict) else _MISSING)
        for name, expected in pattern.items()
    )


def _field(expected: Json, value: Any) -> bool:
    if isinstance(expected, dict):
        return _matches(expected, {} if value is _MISSING else value)
    return any(_rule(rule, value) for rule in expected)


def _rule(rule: Json, value: Any) -> bool:
    """Return whether a value of the event passes one entry of a field's list."""
    is_leaf = value is not _MISSING and not isinstance(value, dict)
    if isinstance(rule, dict) and "exists" in rule:
        return is_leaf is rule["exists"]
    leaves: Sequence[Any] = value if isinstance(value, list) else [value]
    return is_leaf and any(_compare(rule, leaf) for leaf in leaves)


def _compare(rule: Json, leaf: Any) -> bool:
    if not isinstance(rule, dict):
        return _same(rule, leaf)
    ((operator, argument),) = rule.items()
    match operator:
        case "anything-but":
            unwanted = argument if isinstance(argument, list) else [argument]
            return not any(_compare(one, leaf) for one in unwanted)
        case "numeric":
            return _numeric(argument, leaf)
        case _:
            return isinstance(leaf, str) and _text(operator, argument, leaf)


def _same(expected: Json, leaf: Any) -> bool:
    """Compare as the service does: by the written value, so that 1, true and "1" are three."""
    return type(expected) is type(leaf) and expected == leaf


def _text(operator: str, argument: Json, text: str) -> bool:
    folds = isinstance(argument, dict)
    wanted = str(argument["equals-ignore-case"] if folds else argument)
    if folds or operator == "equals-ignore-case":
        wanted, text = wanted.casefold(), text.casefold()
    match operator:
        case "prefix":
            return text.startswith(wanted)
        case "suffix":
            return text.endswith(wanted)
        case "wildcard":
            parts = [re.escape(part) for part in wanted.split("*")]
            return re.fullmatch(".*".join(parts), text, re.DOTALL) is not None
        case _:
            return text == wanted


def _numeric(argument: list[Any], leaf: Any) -> bool:
    if isinstance(leaf, bool) or not isinstance(leaf, int | float):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(_holds(operator, leaf, bound) for operator, bound in pairs)


def _holds(operator: str, number: float, bound: float) -> bool:
    held = {
        "=": number == bound,
        "<": number < bound,
        "<=": number <= bound,
        ">": number > bound,
        ">=": number >= bound,
    }
    return held[operator]


_OPERATORS: Final = {
    "anything-but",
    "equals-ignore-case",
    "exists",
    "numeric",
    "prefix",
    "suffix",
    "wildcard",
}


def _require_valid(pattern: Json) -> None:
    if not isinstance(pattern, dict) or not pattern:
        raise InvalidPatternError("a pattern is an object that is not empty")
    for name, expected in pattern.items():
        if name == "$or":
            _require_alternatives(expected)
        elif isinstance(expected, dict):
            _require_valid(expected)
        elif not isinstance(expected, list) or not expected:
            raise InvalidPatternError(f"`{name}` is neither an object nor a list with values")
        else:
            for rule in expected:
                _require_rule(name, rule)


def _require_alternatives(expected: Json) -> None:
    if not isinstance(expected, list) or len(expected) < 2:
        raise InvalidPatternError("`$or` takes a list of two patterns or more")
    for one in expected:
        _require_valid(one)


def _require_rule(name: str, rule: Json) -> None:
    known = not isinstance(rule, dict) or (len(rule) == 1 and rule.keys() <= _OPERATORS)
    if isinstance(rule, list) or not known:
        raise InvalidPatternError(f"`{name}`: {rule} is not a value or one known operator")
    if isinstance(rule, dict) and not isinstance(rule.get("exists", True), bool):
        raise InvalidPatternError(f"`{name}`: `exists` is true or false")
