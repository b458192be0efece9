"""Conditions whose two sides are of different types: the service cannot decide them."""

from __future__ import annotations

from collections.abc import Iterator

from pipelines.diagnostics import Finding
from pipelines.graph.model import Graph
from pipelines.spec.expressions import (
    Comparison,
    Conjunction,
    Disjunction,
    Expression,
    Membership,
    Negation,
    Operand,
)
from pipelines.spec.references import Reference

_SORTS = {
    "string": "a text",
    "integer": "a number",
    "float": "a number",
    "boolean": "true or false",
}


def check(graph: Graph) -> Iterator[Finding]:
    """Find comparisons of parameters with values of another type; what reports hold is unknown."""
    for node in graph.nodes.values():
        for key in node.spec.expressions:
            expression = getattr(node.step, f"{key}_")
            for left, right in _pairs(expression):
                sorts = (_sort(graph, left), _sort(graph, right))
                if None in sorts or sorts[0] == sorts[1]:
                    continue
                place = left if isinstance(left, Reference) else right
                yield Finding(
                    "SP214",
                    f"{_shown(left)} is {sorts[0]}, {_shown(right)} is {sorts[1]}: "
                    "they cannot be compared",
                    (*node.path, key),
                    help="compare values of one type",
                    within=(place.start, place.end) if isinstance(place, Reference) else None,
                )


def _pairs(expression: Expression) -> Iterator[tuple[Operand, Operand]]:
    match expression:
        case Comparison(left=left, right=right):
            yield left, right
        case Membership(query=query, values=values):
            yield from ((query, value) for value in values)
        case Negation(inner=inner):
            yield from _pairs(inner)
        case Conjunction(parts=parts) | Disjunction(parts=parts):
            for part in parts:
                yield from _pairs(part)


def _sort(graph: Graph, operand: Operand) -> str | None:
    match operand:
        case Reference(parts=("parameters", str(name))) if name in graph.spec.parameters:
            return _SORTS[graph.spec.parameters[name].type]
        case Reference():
            return None
        case bool():
            return _SORTS["boolean"]
        case int() | float():
            return _SORTS["float"]
        case str():
            return _SORTS["string"]


def _shown(operand: Operand) -> str:
    match operand:
        case Reference():
            return f"`{operand}`"
        case bool():
            return f"`{str(operand).lower()}`"
        case str():
            return f'`"{operand}"`'
        case _:
            return f"`{operand}`"
