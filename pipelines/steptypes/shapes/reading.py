"""A request as the service reads it: without nulls, numbers as numbers."""

from __future__ import annotations

from pipelines.json_types import Json
from pipelines.steptypes.shapes.model import Shape, Shapes


def as_read(value: Json, shape: Shape, shapes: Shapes) -> Json:
    """Return a value in which members of null are left out and texts that are numbers are numbers.

    Args:
        value: a value that has the shape, without functions.
        shape: its shape.
        shapes: where the shapes that `shape` mentions are found.
    """
    match shape.type, value:
        case "structure", dict():
            return {
                name: as_read(member, shapes.get(shape.members[name]), shapes)
                if name in shape.members
                else member
                for name, member in value.items()
                if member is not None
            }
        case "list", list():
            element = shapes.get(shape.element or "")
            return [as_read(item, element, shapes) for item in value]
        case "map", dict():
            inner = shapes.get(shape.value or "")
            return {name: as_read(item, inner, shapes) for name, item in value.items()}
        case "integer" | "long", str() | float():
            return int(value)
        case "float" | "double", str():
            return float(value)
        case _:
            return value
