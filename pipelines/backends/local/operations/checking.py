"""A request → its members, or the service's refusal of it, in the words of its framework.

The rules are those of definitions (`steptypes/shapes/checking.py`); only the words differ: "1
validation error detected: Value 'x' at 'modelName' failed to satisfy constraint: Member must …".
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from pipelines.backends.local.errors import ServiceError, invalid
from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.shapes import Shape, ShapeProblem, ShapeTable, check_request

_MOST_REPORTED = 10
_MOST_SHOWN = 1024
_NOT_READ = frozenset({"wrong-type", "unknown-member"})
_NOTHING = Shape("Nothing", "structure")


def check_members(request: JsonObject, shape: Shape | None, shapes: ShapeTable) -> JsonObject:
    """Return the members that a request gives a value.

    Args:
        request: its members; those that are None are not there.
        shape: the shape of the operation's request; None where it takes no members.
        shapes: where the shapes that it mentions are found.

    Raises:
        ServiceError: SerializationException for a value of another type and an unknown member,
            ValidationException for one that breaks a constraint.
    """
    given = {name: value for name, value in request.items() if value is not None}
    shape = shape or _NOTHING
    problems = list(check_request(given, shape, shapes))
    if problems:
        raise _refusal(problems, given, shape, shapes)
    return given


def _refusal(
    problems: list[ShapeProblem], request: JsonObject, shape: Shape, shapes: ShapeTable
) -> ServiceError:
    for problem in problems:
        if problem.kind in _NOT_READ:
            at = ".".join(map(_shown_part, problem.path))[:200]
            where = f", at {at}" if len(problem.path) > 1 else ""
            return ServiceError("SerializationException", f"{problem.message}{where}")
    found: dict[tuple[str, str], Json] = {}
    for problem in problems:
        violation = _violation(problem, _Spot(shape, request, ""), shapes)
        found.setdefault((violation.at, violation.constraint), violation.value)
    noun = "error" if len(found) == 1 else "errors"
    listed = "; ".join(
        f"Value {_quoted(value)} at '{at}' failed to satisfy constraint: {constraint}"
        for (at, constraint), value in islice(found.items(), _MOST_REPORTED)
    )
    return invalid(f"{len(found)} validation {noun} detected: {listed}")


@frozen
class _Spot:
    """A value inside a request, its shape, and its path as the service writes it."""

    shape: Shape
    value: Json
    at: str


@frozen
class _Violation:
    at: str
    value: Json
    constraint: str


def _violation(problem: ShapeProblem, top: _Spot, shapes: ShapeTable) -> _Violation:
    """Say which constraint a problem breaks; of an entry that is a scalar, its container does."""
    if problem.member is not None:
        at = _spots(problem.path, top, shapes)[-1].at
        return _Violation(_below(at, problem.member), None, "Member must not be null")
    if problem.at == "key":
        outer = _spots(problem.path[:-1], top, shapes)[-1]
        constraints = ", ".join(_constraints(shapes.get(outer.shape.key or "")))
        return _Violation(
            outer.at, outer.value, f"Map keys must satisfy constraint: [{constraints}]"
        )
    *_, outer, spot = (top, *_spots(problem.path, top, shapes))
    if outer.shape.type in {"map", "list"} and not isinstance(spot.value, dict | list):
        what = "Map value" if outer.shape.type == "map" else "Member"
        constraints = ", ".join(_constraints(spot.shape))
        return _Violation(outer.at, outer.value, f"{what} must satisfy constraint: [{constraints}]")
    value = "…" if spot.shape.sensitive or isinstance(spot.value, bytes) else spot.value
    return _Violation(spot.at, value, next(_broken(problem, spot)))


def _spots(path: Path, top: _Spot, shapes: ShapeTable) -> list[_Spot]:
    """Follow a path through a request, which holds every part of it."""
    spots = [top]
    for part in path:
        spot = spots[-1]
        match spot.shape.type:
            case "structure":
                inner, at = spot.shape.members[str(part)], _below(spot.at, str(part))
            case "list":
                inner, at = spot.shape.element or "", f"{spot.at}.{int(part) + 1}.member"
            case _:
                inner, at = spot.shape.value or "", f"{spot.at}.{part}.member"
        spots.append(_Spot(shapes.get(inner), spot.value[part], at))
    return spots


def _broken(problem: ShapeProblem, spot: _Spot) -> Iterator[str]:
    """Yield the constraints of a shape that a value breaks."""
    shape, value = spot.shape, spot.value
    if problem.kind not in {"length", "range"}:
        *_, last = _constraints(shape)
        yield last
        return
    what = "value" if problem.kind == "range" else "length"
    size = value if problem.kind == "range" else len(value)
    is_low = shape.min is not None and size < shape.min
    yield _bound(what, shape.min if is_low else shape.max, is_low)


def _constraints(shape: Shape) -> Iterator[str]:
    """Yield all constraints of a scalar in the service's order."""
    if shape.enum:
        yield f"Member must satisfy enum value set: [{', '.join(shape.enum)}]"
        return
    what = "length" if shape.type in {"string", "blob"} else "value"
    if shape.max is not None:
        yield _bound(what, shape.max, is_low=False)
    if shape.min is not None:
        yield _bound(what, shape.min, is_low=True)
    if shape.pattern is not None:
        yield f"Member must satisfy regular expression pattern: {shape.java or shape.pattern}"


def _bound(what: str, bound: float | None, is_low: bool) -> str:  # noqa: FBT001 - which bound
    return f"Member must have {what} {'greater' if is_low else 'less'} than or equal to {bound}"


def _below(at: str, name: str) -> str:
    member = name[:1].lower() + name[1:]
    return f"{at}.{member}" if at else member


def _shown_part(part: str | int) -> str:
    return str(part + 1) if isinstance(part, int) else part


def _quoted(value: Json) -> str:
    return "null" if value is None else f"'{_java(value)[:_MOST_SHOWN]}'"


def _java(value: Json) -> str:
    """Write a value as the service's messages do: `{a=1, b=2}`."""
    match value:
        case dict():
            return f"{{{', '.join(f'{key}={_java(one)}' for key, one in value.items())}}}"
        case list() | tuple():
            return f"[{', '.join(map(_java, value))}]"
        case bool():
            return str(value).lower()
        case _:
            return str(value)
