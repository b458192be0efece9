"""One operation of the table: its name, its shapes and the function that carries it out.

`@operation("CreateModel")` puts a method of a class in this package into the table; everything
else that is known of it comes from botocore's model, digested by `tools/generate_shapes.py` into
`shapes/`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any, Protocol, TypeAlias, TypeVar

from pipelines.backends.local.operations.checking import check_members
from pipelines.backends.local.waiting import BLOCKING, Waiting, in_this_thread
from pipelines.frozen import frozen
from pipelines.json_types import Json, JsonObject
from pipelines.steptypes.shapes import Shape, ShapeTable

Function: TypeAlias = Callable[..., Coroutine[Any, Any, JsonObject]]
"""Takes how its caller waits, and as keyword arguments the members of a request, checked."""

FunctionT = TypeVar("FunctionT", bound=Callable[..., JsonObject] | Function)

PACKAGE = "pipelines.backends.local.operations"
_MARK = "__sagemaker_operation__"


def operation(name: str, service: str = "sagemaker") -> Callable[[FunctionT], FunctionT]:
    """Put a method into the table of operations; a decorator.

    Args:
        name: the operation's name, as `CreateModel`; the method is named as in boto3.
        service: as boto3's clients are named.
    """

    def mark(function: FunctionT) -> FunctionT:
        setattr(function, _MARK, (service, name))
        return function

    return mark


@frozen
class Operation:
    """An operation that can be called.

    Args:
        name: as the service names it.
        function: carries out a checked request.
        shapes: the shapes of its module.
        request: the shape of its request; None where it takes no members.
        response: the shape of its response; None where it returns no members.
    """

    name: str
    function: Function
    shapes: ShapeTable
    request: Shape | None
    response: Shape | None

    def __call__(self, **request: Json) -> JsonObject:
        """Check a request, once, and carry it out.

        Raises:
            ServiceError: it was refused.
        """
        return in_this_thread(self.answer(BLOCKING, **request))

    async def answer(self, waiting: Waiting, /, **request: Json) -> JsonObject:
        """Check a request and carry it out, where the caller waits in its own way.

        Raises:
            ServiceError: it was refused.
        """
        return await self.function(waiting, **self.checked(request))

    def checked(self, request: JsonObject) -> JsonObject:
        """Return the members of a request that have a value.

        Raises:
            ServiceError: it was refused.
        """
        return check_members(request, self.request, self.shapes)


class OtherOperations(Protocol):
    """The table, for an operation that calls others."""

    def method(self, method: str) -> Operation | None:
        """Find an operation by boto3's name for it; None if there is none."""

    def members(self, module: str, shape: str) -> frozenset[str]:
        """Return the members of a structure among the shapes of a module's operations."""


@frozen
class DeclaredOperation:
    """Where an operation is declared."""

    service: str
    name: str
    module: str
    method: str


def declared_operations() -> Iterator[DeclaredOperation]:
    """Import every module of this package and yield its operations, for the index."""
    for file in sorted(Path(__file__).parent.glob("[!_]*.py")):
        for group in groups_of(file.stem):
            for method, (service, name) in marked(group).items():
                yield DeclaredOperation(service, name, file.stem, method)


def groups_of(module: str) -> list[type]:
    """Return the classes of a module that have operations."""
    found = importlib.import_module(f"{PACKAGE}.{module}")
    return [
        one
        for one in vars(found).values()
        if isinstance(one, type) and one.__module__ == found.__name__ and marked(one)
    ]


def marked(group: Any) -> dict[str, tuple[str, str]]:
    """Return service and name of each operation of a class, by method."""
    return {
        method: getattr(function, _MARK)
        for method, function in vars(group).items()
        if hasattr(function, _MARK)
    }
