"""Keys of the spec ↔ members of a request: declared on the models' fields.

Without a declaration a key stands for the member of the same name: `instance_type` for
`InstanceType`. Whatever needs to know goes by these declarations: kinds that write a request, and
`compile.origins`, which leads an error in a request back to the key.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeGuard, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipelines.grammar.names import camel_case
from pipelines.json_types import Json, JsonObject
from pipelines.spec.base import LateModel, imported


class RequestMember:
    """A marker in the annotation of a field: the member of the request that it becomes.

    Args:
        paths: the member with the members around it, as `ResourceConfig.VolumeSizeInGB`, below
            `Arguments` or what the model around it becomes; several for a key that becomes
            several members, or another one in the request of another Type. None for a block
            whose keys become members themselves, beside those of the keys around it.
        named_by: of a mapping that becomes a list: the member of an entry that holds its key.
        value: of such a mapping of scalars: the member of an entry that holds its value.
        entry: of a key that becomes one entry of a list: the name that `named_by` holds there.
        second: whether the member is another key's as well, which a message about it then names.
        if_given: whether the member is the user's own (`extra:`) as long as the key is not given.

    Without `paths` a key holds members of the request as they are.
    """

    __slots__ = ("entry", "if_given", "named_by", "paths", "second", "value")

    def __init__(
        self,
        *paths: str,
        named_by: str | None = None,
        value: str | None = None,
        entry: str | None = None,
        if_given: bool = False,
        second: bool = False,
    ) -> None:
        self.paths = tuple(tuple(path.split(".")) for path in paths)
        self.named_by = named_by
        self.value = value
        self.entry = entry
        self.if_given = if_given
        self.second = second

    @property
    def names(self) -> tuple[str, ...]:
        """The members themselves, without those around them."""
        if self.second:
            return ()
        names = tuple(path[-1] for path in self.paths)
        return names if self.value is None else (*names, self.value)


def declared(field: FieldInfo) -> RequestMember | None:
    """Return what a field declares."""
    return next((one for one in field.metadata if isinstance(one, RequestMember)), None)


def fields_of(model: type[BaseModel]) -> dict[str, FieldInfo]:
    """Return the fields of a model by their keys, as a user writes them."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def members_of(
    model: BaseModel,
    resolve: Callable[[Json], Json] = lambda value: value,
    part: type[BaseModel] | None = None,
) -> JsonObject:
    """Write the scalars and lists of a model as the members that they become.

    What is not given is left out, and so are models and mappings inside of it.

    Args:
        model: a part of a step.
        resolve: turns a literal or a template into its value in the definition.
        part: the base of the model whose keys alone are meant; None for all keys.
    """
    written: JsonObject = {}
    for name, field in (part or type(model)).model_fields.items():
        value = getattr(model, name)
        if value is None or isinstance(value, BaseModel | dict):
            continue
        member = declared(field)
        key = member.names[0] if member else camel_case(name)
        written[key] = list(map(resolve, value)) if isinstance(value, list) else resolve(value)
    return written


def keys_of(model: type[BaseModel], written: Mapping[str, Json]) -> JsonObject:
    """Return the keys of a model that became these members: what `members_of` has written."""
    found: JsonObject = {}
    for name, field in model.model_fields.items():
        member = declared(field)
        key = member.names[0] if member else camel_case(name)
        if key in written:
            found[name] = written[key]
    return found


def holds_members(field: FieldInfo) -> bool:
    """Return whether a key holds members of the request as they are."""
    member = declared(field)
    return member is not None and not member.paths


def is_model(annotation: Any) -> TypeGuard[type[BaseModel]]:
    """Return whether an annotation is a model, whose keys are known."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def type_below(annotation: Any, part: str | int) -> Any:
    """Return the type of what stands below a key or an index; None where nothing can."""
    if is_model(annotation):
        field = fields_of(annotation).get(str(part))
        return _content(field.annotation) if field else None
    if get_origin(annotation) in {dict, list}:
        return _content(get_args(annotation)[-1])
    return None


def _content(annotation: Any) -> Any:
    """Drop `| None` from an annotation; import a model that was declared by `late`."""
    members = [one for one in get_args(annotation) if one is not type(None)]
    if get_origin(annotation) in {dict, list}:
        return annotation
    content = members[0] if members else annotation
    is_late = isinstance(content, type) and issubclass(content, LateModel)
    return imported(content) if is_late else content
