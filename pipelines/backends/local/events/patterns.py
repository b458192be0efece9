"""EventBridge's event patterns: what is wrong with one, and which events it takes.

Source: EventBridge user guide, "Amazon EventBridge event patterns" and "Comparison operators for
use in event patterns". Fields are joined by and, the values of a field by or; a field whose value
in the event is a list matches when one of its elements does; `exists` looks at leaf nodes alone.
What the guide does not have is refused, as PutRule does, so that no rule passes by a mistake in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address, ip_network
from typing import Any, Final, TypeAlias

from pipelines.diagnostics import Finding, Path
from pipelines.json_types import Json, JsonObject

CODE: Final = "SP606"
_MISSING: Final = object()
_TEXTS: Final = ("prefix", "suffix", "equals-ignore-case", "wildcard")
_FOLDABLE: Final = ("prefix", "suffix")
_OPERATORS: Final = (*_TEXTS, "anything-but", "cidr", "exists", "numeric")
_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {
    "=": lambda number, bound: number == bound,
    "<": lambda number, bound: number < bound,
    "<=": lambda number, bound: number <= bound,
    ">": lambda number, bound: number > bound,
    ">=": lambda number, bound: number >= bound,
}
_WILDCARD: Final = re.compile(r"\\[*\\]|\*|[^*\\]+|\\")
_Problem: TypeAlias = str | None
"""What is wrong with the argument of an operator; None where nothing is."""


def matches(pattern: JsonObject, event: Json) -> bool:
    """Return whether a rule with this pattern, which has no `findings`, takes an event."""
    if isinstance(event, list):
        return any(matches(pattern, one) for one in event)
    return all(
        any(matches(one, event) for one in expected)
        if name == "$or"
        else _field(expected, event.get(name, _MISSING) if isinstance(event, dict) else _MISSING)
        for name, expected in pattern.items()
    )


def findings(pattern: Json, path: Path = ()) -> Iterator[Finding]:
    """Find what the service would refuse in a pattern.

    Args:
        pattern: what is written.
        path: where it is written.
    """
    if not isinstance(pattern, dict) or not pattern:
        yield _wrong(path, "an event pattern is a mapping with at least one field")
        return
    for name, expected in pattern.items():
        here = (*path, name)
        if name == "$or":
            yield from _alternatives(expected, here)
        elif isinstance(expected, dict):
            yield from findings(expected, here)
        elif not isinstance(expected, list) or not expected:
            yield _wrong(here, f"`{name}` must be a list of values, or a mapping of fields")
        else:
            for index, entry in enumerate(expected):
                yield from _entry(entry, (*here, index))


def _wrong(path: Path, message: str, remedy: str | None = None) -> Finding:
    return Finding(CODE, message, path, help=remedy)


def _alternatives(expected: Json, path: Path) -> Iterator[Finding]:
    if not isinstance(expected, list) or len(expected) < 2:
        yield _wrong(path, "`$or` must be a list of two patterns or more")
        return
    for index, one in enumerate(expected):
        yield from findings(one, (*path, index))


def _entry(entry: Json, path: Path) -> Iterator[Finding]:
    """Find what is wrong with one entry of a field's list."""
    if isinstance(entry, list):
        yield _wrong(path, "a list within the list of a field's values is not allowed")
    if not isinstance(entry, dict):
        return
    known = f"the operators are {', '.join(f'`{one}`' for one in _OPERATORS)}"
    if len(entry) != 1:
        yield _wrong(path, "a comparison must have exactly one operator", known)
        return
    ((operator, argument),) = entry.items()
    if operator not in _OPERATORS:
        unknown = f"`{operator}` is not an operator of event patterns"
        yield Finding(CODE, unknown, (*path, operator), "key", known)
        return
    problem = _argument(operator, argument)
    if problem is not None:
        yield _wrong((*path, operator), problem)


def _argument(operator: str, argument: Json) -> _Problem:
    match operator:
        case "exists":
            return None if isinstance(argument, bool) else "`exists` takes true or false"
        case "numeric":
            return _bounds_problem(argument)
        case "anything-but":
            return _exclusion_problem(argument)
        case "cidr":
            return _network_problem(argument)
        case _:
            return _text_problem(operator, argument)


def _text_problem(operator: str, argument: Json) -> _Problem:
    if operator in _FOLDABLE and isinstance(argument, dict):
        argument = argument.get("equals-ignore-case") if len(argument) == 1 else None
    if not isinstance(argument, str):
        return f"`{operator}` takes a text"
    if operator == "wildcard" and "**" in argument.replace("\\\\", "").replace("\\*", ""):
        return "`wildcard` does not take two `*` in a row"
    return None


def _exclusion_problem(argument: Json) -> _Problem:
    if isinstance(argument, dict):
        if len(argument) != 1 or not argument.keys() <= {*_TEXTS}:
            return f"`anything-but` takes values, or one of {', '.join(_TEXTS)}"
        ((operator, texts),) = argument.items()
        problems = (_text_problem(operator, text) for text in _listed(texts))
        return next((one for one in problems if one is not None), None)
    values = _listed(argument)
    is_plain = values and all(isinstance(one, str) or _is_number(one) for one in values)
    return None if is_plain else "`anything-but` takes texts or numbers"


def _bounds_problem(argument: Json) -> _Problem:
    if not isinstance(argument, list) or len(argument) not in {2, 4}:
        return '`numeric` takes one or two comparisons: `[">", 0, "<=", 5]`'
    pairs = zip(argument[::2], argument[1::2], strict=True)
    if not all(str(sign) in _COMPARISONS and _is_number(bound) for sign, bound in pairs):
        return f"`numeric` compares by {', '.join(_COMPARISONS)} with a number"
    return None


def _network_problem(argument: Json) -> _Problem:
    try:
        ip_network(argument if isinstance(argument, str) else "", strict=False)
    except ValueError:
        return "`cidr` takes an address block such as `10.0.0.0/24`"
    return None


def _listed(value: Json) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _field(expected: Json, value: Any) -> bool:
    if isinstance(expected, dict):
        return matches(expected, {} if value is _MISSING else value)
    leaves = [*_leaves(value)]
    return any(_takes(entry, leaves) for entry in expected)


def _leaves(value: Any) -> Iterator[Any]:
    """Yield the scalars of a field's value; a mapping has none, and neither has an empty list."""
    if isinstance(value, list):
        for one in value:
            yield from _leaves(one)
    elif value is not _MISSING and not isinstance(value, dict):
        yield value


def _takes(entry: Json, leaves: list[Any]) -> bool:
    """Return whether the values of a field pass one entry of the pattern's list."""
    if isinstance(entry, dict) and "exists" in entry:
        return bool(leaves) is entry["exists"]
    return any(_passes(entry, leaf) for leaf in leaves)


def _passes(entry: Json, leaf: Any) -> bool:
    if not isinstance(entry, dict):
        return type(entry) is type(leaf) and entry == leaf  # 1, true and "1" are three values
    ((operator, argument),) = entry.items()
    match operator:
        case "anything-but":
            return not any(_passes(one, leaf) for one in _excluded(argument))
        case "numeric":
            pairs = zip(argument[::2], argument[1::2], strict=True)
            return _is_number(leaf) and all(
                _COMPARISONS[sign](leaf, bound) for sign, bound in pairs
            )
        case "cidr":
            return isinstance(leaf, str) and _is_within(leaf, argument)
        case _:
            return isinstance(leaf, str) and _compares(operator, argument, leaf)


def _excluded(argument: Json) -> Iterator[Json]:
    """Yield the entries of which none may pass."""
    if isinstance(argument, dict):
        ((operator, texts),) = argument.items()
        yield from ({operator: text} for text in _listed(texts))
    else:
        yield from _listed(argument)


def _compares(operator: str, argument: Json, text: str) -> bool:
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
            return re.fullmatch(_as_expression(wanted), text, re.DOTALL) is not None
        case _:
            return text == wanted


def _as_expression(wildcard: str) -> str:
    r"""Translate: `*` stands for any characters, `\*` and `\\` for themselves."""
    parts = (found[0] for found in _WILDCARD.finditer(wildcard))
    return "".join(".*" if part == "*" else re.escape(_unescaped(part)) for part in parts)


def _unescaped(part: str) -> str:
    return part[1:] if part in {"\\*", "\\\\"} else part


def _is_within(text: str, block: str) -> bool:
    try:
        return ip_address(text) in ip_network(block, strict=False)
    except ValueError:
        return False
