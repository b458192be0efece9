"""The destination decides the type: references that are no text become text where one is wanted.

The service refuses a bare Integer, Float or Boolean parameter where its API has a string
(FACTS 11.3); `Std:Join` with one value makes a string of it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pipelines.frozen import frozen
from pipelines.grammar.functions import (
    PARAMETERS,
    Get,
    Join,
    JsonGet,
    ReferenceTarget,
    function_of,
    parse_target,
    to_json,
)
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes import find
from pipelines.steptypes.shapes import PathProblem, Shape, Shapes, member_at, shapes_of

_TEXT = frozenset({"string", "String", "any"})


@frozen
class Coercion:
    """What is known of the types of references.

    Args:
        parameters: definition types of the parameters, such as `Integer`.
        step_types: the Type of every emitted step.
    """

    parameters: Mapping[str, str]
    step_types: Mapping[str, str]

    def arguments(self, type_name: str, arguments: JsonObject) -> JsonObject:
        """Wrap the references of one step's arguments that have to become text."""
        step_type = find(type_name)
        shapes = shapes_of(step_type) if step_type else None
        if shapes is None or shapes.request is None:
            return arguments
        wrapped: JsonObject = self._value(arguments, shapes.request, shapes)
        return wrapped

    def _value(self, value: Json, shape: Shape, shapes: Shapes) -> Json:
        match function_of(value) or value:
            case Get(target=target) as get:
                return _joined(get) if self._needs_join(target, shape) else value
            case JsonGet() as json_get:
                return _joined(json_get) if shape.type == "string" else value
            case Join():
                return value
            case dict():
                inner = _member_shape(shape)
                return {
                    key: self._value(item, shapes.get(name), shapes)
                    if (name := inner(key))
                    else item
                    for key, item in value.items()
                }
            case list() if shape.element:
                element = shapes.get(shape.element)
                return [self._value(item, element, shapes) for item in value]
            case _:
                return value

    def _needs_join(self, target: str, shape: Shape) -> bool:
        return shape.type == "string" and self._type_of(parse_target(target)) not in _TEXT

    def _type_of(self, target: ReferenceTarget) -> str:
        if target.root == PARAMETERS:
            return self.parameters.get(target.name, "String")
        step_type = find(self.step_types.get(target.step or "", ""))
        member = member_at(shapes_of(step_type), target.path) if step_type else None
        return "string" if member is None or isinstance(member, PathProblem) else member.type


def _member_shape(shape: Shape) -> Callable[[str], str | None]:
    return shape.members.get if shape.type == "structure" else lambda _: shape.value


def _joined(function: Get | JsonGet) -> Json:
    return to_json(Join("", (function,)))
