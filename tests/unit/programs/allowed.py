"""A client whose role may do what a program declares, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from pipelines.programs import declaration

_NAMES = {"head_object": "GetObject", "list_objects_v2": "ListBucket"}
"""Operations whose action has another name."""


class Paginator(Protocol):
    """boto3's paginator."""

    def paginate(self, **request: Any) -> Iterator[dict[str, Any]]:
        """Yield pages."""
        ...


class Allowed:
    """A client in front of another one.

    Args:
        program: the program that calls it.
        service: the prefix of its actions.
        client: what answers.
        actions: gets the actions that the calls need.
    """

    def __init__(self, program: str, service: str, client: Any, actions: set[str]) -> None:
        declared = declaration(program)
        further = (name for actions in declared.further.values() for name in actions)
        self._declared = {*declared.actions, *further}
        self._service, self._client, self._actions = service, client, actions

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        call: Callable[..., Any] = getattr(self._client, operation)

        def checked(**request: Any) -> Any:
            self._need(operation, request)
            return call(**request)

        return checked

    def get_paginator(self, operation: str) -> Paginator:
        """Return the pages of an operation."""
        self._need(operation, {})
        pages: Paginator = self._client.get_paginator(operation)
        return pages

    def _need(self, operation: str, request: dict[str, Any]) -> None:
        name = _NAMES.get(operation) or "".join(w.capitalize() for w in operation.split("_"))
        needed = {f"{self._service}:{name}"}
        if "Tags" in request:
            needed.add("sagemaker:AddTags")
        if any(member.endswith("RoleArn") for member in request):
            needed.add("iam:PassRole")
        assert needed <= self._declared, f"{needed} is called and not declared"
        self._actions |= needed
