"""Members of `extra:` that a key of the step stands for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipelines.diagnostics import Finding, Path
from pipelines.grammar.functions import is_function
from pipelines.grammar.names import snake_case
from pipelines.graph.model import Graph
from pipelines.json_types import Json
from pipelines.spec.members import declared, fields_of, is_model, type_below


def check(graph: Graph) -> Iterator[Finding]:
    """Find them; what the step sets without a key is found when it is written."""
    for node in graph.nodes.values():
        for path in _leaves(getattr(node.step, "extra", {}), ()):
            key = _key_of(type(node.step), node.step, path)
            if key is not None:
                yield Finding(
                    "SP134",
                    f"the key `{key}` stands for `{'.'.join(map(str, path))}`",
                    (*node.path, "extra", *path),
                    at="key",
                    help=f"write it as `{key}`; `extra` is for members that have no key",
                )


def _leaves(value: Json, path: Path) -> Iterator[Path]:
    if isinstance(value, dict) and not is_function(value) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif path:
        yield path


def _key_of(model: type[BaseModel], step: BaseModel, path: Path) -> str | None:
    """Return the key that stands for a member, or for what holds it."""
    for end in range(1, len(path) + 1):
        for key, field in fields_of(model).items():
            if _stands_for(key, field, path[:end]) and not _is_free(
                field, getattr(step, key, None)
            ):
                found = _key_below(type_below(model, key), step, key, path[end:])
                if found is not None:
                    return found
    return None


def _is_free(field: FieldInfo, value: object) -> bool:
    """Return whether the member is the user's own because the key is not given."""
    member = declared(field)
    return member is not None and member.if_given and not value


def _stands_for(key: str, field: FieldInfo, path: Path) -> bool:
    member = declared(field)
    if member is None:
        return key == snake_case(str(path[-1]))
    return any(path[-len(one) :] == one for one in member.paths)


def _key_below(annotation: object, step: BaseModel, key: str, rest: Path) -> str | None:
    """Return the key that stands for the rest of a path, below the key of its beginning.

    A structure that the step writes anyway takes further members; one that it does not write is
    its key's.
    """
    if not rest:
        return key
    if is_model(annotation):
        inner = (one for one, field in fields_of(annotation).items()
                 if _stands_for(one, field, rest[:1]))  # fmt: skip
        unknown = None if getattr(step, key, None) is not None else key
        return next((f"{key}.{one}" for one in inner), unknown)
    return None if get_origin(annotation) is list else key
