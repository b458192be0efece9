"""What the fields of the models declare, against the shapes of the service."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from pipelines import kinds, steptypes
from pipelines.spec.members import (
    RequestMember,
    declared,
    fields_of,
    is_model,
    members_of,
    type_below,
)
from pipelines.spec.model import Aws
from pipelines.spec.steps import Retry
from pipelines.steptypes.shapes import Shape, Shapes, shapes_of

SHAPELESS = {
    ("DependsOn",),
    ("CacheConfig",),
    ("RetryPolicies",),
    ("PropertyFiles", "FilePath"),
    ("Conditions",),
    ("IfSteps",),
    ("ElseSteps",),
}
"""Keys beside `Arguments`, and arguments that hold steps: no shape has them."""

SHAPES = [shapes_of(found) for name in steptypes.names() if (found := steptypes.find(name))]


def _declarations(model: type[BaseModel]) -> Iterator[tuple[str, RequestMember]]:
    """Yield the declarations of a model and of the models inside of it, by key."""
    for key, field in fields_of(model).items():
        if member := declared(field):
            yield key, member
        inner = type_below(model, key)
        inner = inner if is_model(inner) else type_below(inner, 0)
        if is_model(inner):
            yield from _declarations(inner)


def _leads_on(shapes: Shapes, name: str, path: tuple[str, ...]) -> bool:
    """Return whether a path of members leads on from a shape, through lists and maps."""
    shape: Shape = shapes.get(name)
    while shape.element or shape.value:
        shape = shapes.get(shape.element or shape.value or "")
    if not path:
        return True
    inner = shape.members.get(path[0])
    return inner is not None and _leads_on(shapes, inner, path[1:])


def _is_known(path: tuple[str, ...]) -> bool:
    if path in SHAPELESS:
        return True
    return any(_leads_on(shapes, name, path) for shapes in SHAPES for name in shapes.names())


@pytest.mark.parametrize("name", kinds.names())
def test_every_declared_member_is_one_of_the_services(name: str) -> None:
    """A misspelt declaration would lead no error back, and nobody would notice."""
    kind = kinds.find(name)
    assert kind is not None
    unknown = [
        (key, ".".join(path))
        for key, member in _declarations(kind.model_of())
        for path in member.paths
        if not _is_known(path)
    ]
    assert unknown == []


def test_every_member_of_the_account_is_one_of_the_services() -> None:
    """What `aws:` says for all steps."""
    unknown = [k for k, m in _declarations(Aws) if not all(map(_is_known, m.paths))]
    assert unknown == []


def test_a_model_is_written_as_the_members_that_its_keys_become() -> None:
    """Without a declaration the key's own name in CamelCase; what is not given is left out."""
    policy = Retry(exception_type=["Step.THROTTLING"], max_attempts=3)
    assert members_of(policy) == {
        "ExceptionType": ["Step.THROTTLING"],
        "IntervalSeconds": 1,
        "BackoffRate": 2.0,
        "MaxAttempts": 3,
    }
