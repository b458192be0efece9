"""The table of operations: name → shapes → function; a module is imported for its first call."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any

from pipelines.backends.local.errors import ServiceError
from pipelines.backends.local.operations.operation import (
    Operation,
    groups_of,
    marked,
)
from pipelines.backends.local.operations.provided import Provided
from pipelines.backends.local.waiting import blocking
from pipelines.diagnostics.sentences import listed
from pipelines.json_types import JsonObject
from pipelines.steptypes.shapes import Shape, ShapeTable

_SHAPES = Path(__file__).parent / "shapes"


class OperationTable:
    """The operations of one `LocalSageMaker`.

    Args:
        provided: what their classes are built from: each field of a class names one of its
            attributes.
    """

    def __init__(self, provided: Provided) -> None:
        self._provided = provided
        provided.operations = self
        self._found: dict[tuple[str, str], Operation] = {}

    def named(self, service: str, name: str) -> Operation:
        """Find an operation by the service's name for it, as `CreateModel`.

        Raises:
            ServiceError: NotImplemented, or UnknownOperationException where the service has no
                such operation either.
        """
        key = service, name
        found = self._found.get(key)
        if found is None:
            place = _index().get(service, {}).get(name)
            if place is None:
                raise not_there(service, name)
            found = self._found[key] = self._operation(name, *place)
        return found

    def method(self, method: str) -> Operation | None:
        """Find an operation by boto3's name for it, as `create_model`; None if there is none."""
        key = _methods().get(method)
        return None if key is None else self.named(*key)

    def members(self, module: str, shape: str) -> frozenset[str]:
        """Return the members of a structure among the shapes of a module's operations."""
        return frozenset(_shapes_of(module)["shapes"][shape]["members"])

    def _operation(self, name: str, module: str, method: str) -> Operation:
        raw = _shapes_of(module)
        shapes = ShapeTable(raw["shapes"])
        request, response = (_shape(shapes, end) for end in raw["operations"][name])
        function = self._function(module, method)
        if not iscoroutinefunction(function):
            function = blocking(function)
        return Operation(name, function, shapes, request, response)

    def _function(self, module: str, method: str) -> Any:
        group: Any = next(one for one in groups_of(module) if method in marked(one))
        fields = {name: getattr(self._provided, name) for name in group.__match_args__}
        return getattr(group(**fields), method)


def not_there(service: str, name: str) -> ServiceError:
    """Return the refusal of an operation that is not in the table, by its name."""
    elsewhere: JsonObject = json.loads((_SHAPES / "elsewhere.json").read_bytes())
    if service in elsewhere and name not in elsewhere[service].split():
        return ServiceError("UnknownOperationException", f"{service} has no operation {name[:100]}")
    there = sorted({module.replace("_", " ") for module, _ in _index().get(service, {}).values()})
    what = f"it has operations on {listed(there, mark='')}" if there else _services()
    return ServiceError(
        "NotImplemented",
        f"the local SageMaker does not have the operation {name[:100]} of {service[:100]}; {what}",
        "use an account for it",
    )


def operations_of(service: str) -> Iterator[tuple[str, str]]:
    """Yield the name and the method of each operation of a service that is there."""
    return ((name, method) for name, (_, method) in _index()[service].items())


def _services() -> str:
    return f"it has operations of {listed(sorted((*_index(), 'iam', 's3', 'sts')), mark='')}"


def _shape(shapes: ShapeTable, name: str | None) -> Shape | None:
    return None if name is None else shapes.get(name)


@cache
def _index() -> dict[str, dict[str, tuple[str, str]]]:
    """Return module and method of each operation, by service and name."""
    index: dict[str, dict[str, tuple[str, str]]] = json.loads((_SHAPES / "index.json").read_bytes())
    return index


@cache
def _methods() -> dict[str, tuple[str, str]]:
    return {
        method: (service, name)
        for service, operations in _index().items()
        for name, (_, method) in operations.items()
    }


@cache
def _shapes_of(module: str) -> JsonObject:
    raw: JsonObject = json.loads((_SHAPES / f"{module}.json").read_bytes())
    return raw
