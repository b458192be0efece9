"""Limits of the service that its API shapes do not hold.

A `ValueLimit` bounds one number, a `Rule` compares several members of one structure. Each stands
on its Type with its source; a hard limit is an error, an account's default quota a warning. A
value that is a reference is not known yet and passes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Final, TypeAlias

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar.numbers import read_number
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.places import below

Violations: TypeAlias = Iterator[tuple[Path, str]]
"""Where a structure breaks a rule: the path from that structure, and the problem."""

GENERAL_REFERENCE: Final = "AWS General Reference, SageMaker quotas"
GUIDE: Final = "SageMaker developer guide, "


@frozen
class LimitProblem:
    """One value beyond a limit; the path leads from the arguments down to it."""

    path: Path
    message: str
    help: str
    quota: bool = False


@frozen
class ValueLimit:
    """A number that may not be greater.

    Args:
        at: where the number stands.
        most: the greatest number allowed.
        what: the limit in words.
        source: where it is written down.
        quota: whether an account can have it raised: then exceeding it is a warning.
    """

    at: tuple[str, ...]
    most: int
    what: str
    source: str
    quota: bool = False


@frozen
class Rule:
    """A condition between members of one structure, which no API shape can express.

    Args:
        at: where the structure stands.
        violations: the condition; members that are references pass.
        help: what to write instead.
        source: where it is written down.
    """

    at: tuple[str, ...]
    violations: Callable[[JsonObject], Violations]
    help: str
    source: str


def check_limits(
    limits: Iterable[ValueLimit], rules: Iterable[Rule], arguments: Json
) -> Iterator[LimitProblem]:
    """Yield every limit that the arguments of a step exceed, and every rule that they break."""
    for limit in limits:
        for path, value in _found(limit.at, arguments):
            figure = number(value)
            if figure is not None and figure > limit.most:
                raised = ", or have the quota raised" if limit.quota else ""
                remedy = f"write at most {limit.most}{raised} ({limit.source})"
                message = f"`{path[-1]}` is {value}, but {limit.what}"
                yield LimitProblem(path, message, remedy, limit.quota)
    for rule in rules:
        for path, value in _found(rule.at, arguments):
            if isinstance(value, dict):
                for inner, message in rule.violations(value):
                    yield LimitProblem((*path, *inner), message, f"{rule.help} ({rule.source})")


def _found(places: tuple[str, ...], arguments: Json) -> Iterator[tuple[Path, Json]]:
    for place in places:
        yield from below(arguments, place)


def number(value: Json) -> float | None:
    """Return a number, also out of a text; None for references and anything else."""
    match value:
        case str():
            return read_number(value)
        case bool():
            return None
        case int():
            return value
        case float() if math.isfinite(value):
            return value
        case _:
            return None


def objects(value: Json) -> list[tuple[int, JsonObject]]:
    """Return the objects of a list with their indexes; none where it is no list."""
    if not isinstance(value, list):
        return []
    return [(index, entry) for index, entry in enumerate(value) if isinstance(entry, dict)]
