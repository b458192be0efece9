"""A kind, or a key of one or of the file, as text: what it takes, what it becomes, an example."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any, Final

from pydantic import BaseModel

from pipelines import kinds, steptypes
from pipelines.diagnostics.nearest import nearest
from pipelines.errors import UsageError
from pipelines.frozen import frozen
from pipelines.grammar.names import camel_case
from pipelines.json_types import JsonObject
from pipelines.kinds.base.contract import Kind
from pipelines.spec.describing import default_of, long_form, type_of
from pipelines.spec.members import declared, fields_of, is_model, type_below
from pipelines.spec.model import PipelineSpec
from pipelines.steptypes.shapes import shapes_of

_WIDTH: Final = 78


def sections() -> tuple[str, ...]:
    """Return what can be explained: the kinds, and the keys of the file."""
    return (*kinds.names(), *fields_of(PipelineSpec))


def explain_keys(words: str) -> str | None:
    """Explain `training`, `training.distribution`, `aws` or `aws.vpc`; None for another first word.

    Raises:
        UsageError: it has no such key.
    """
    first, *path = words.strip().split(".")
    kind = kinds.find(first)
    if kind is not None:
        return (
            _of_kind(first, kind)
            if not path
            else _of_key(first, kind.model_of(), path, _known(kind))
        )
    if first not in fields_of(PipelineSpec):
        return None
    if first == "steps" and path:
        raise UsageError(
            "which keys a step has depends on its kind",
            f"name the kind, one of {', '.join(kinds.names())}: explain training",
        )
    return _of_key("", PipelineSpec, [first, *path], None)


def _of_kind(name: str, kind: Kind) -> str:
    said = (kind.outputs.__doc__ or "").splitlines()
    outputs = f" Outputs: {said[0][0].lower()}{said[0][1:]}" if said else ""
    becomes = f"of Type {kind.type}" if kind.type else f"of the Type that `{kind.type_key}` names"
    head = f"kind: {name}\n\n{kind.summary}\nBecomes a step {becomes}.{outputs}"
    model = kind.model_of()
    keys = _keys(_schema(model), model, _known(kind))
    example = textwrap.indent(f"steps:\n{textwrap.indent(kind.example, '  ')}", "  ")
    more = f"One key: python -m pipelines explain {name}.{next(reversed(keys))}" if keys else ""
    return f"{head}\n\n{_listed(keys)}\n\nExample:\n\n{example}\n{more}"


def _of_key(
    owner: str, model: type[BaseModel], path: list[str], known: frozenset[str] | None
) -> str:
    """Explain the key at the end of a path, and the keys that it holds."""
    done = [owner] if owner else []
    current: Any = model
    key: _Key | None = None
    for word in path:
        current = _entry_model(current)
        keys = _keys(_schema(current), current, known) if current is not None else {}
        if word not in keys:
            raise _no_key(".".join(done), word, list(keys))
        key, current = keys[word], type_below(current, word)
        done.append(word)
    if key is None:
        message = "a path has a word"
        raise AssertionError(message)
    nested = _entry_model(current)
    inside = {} if nested is None else _keys(_schema(nested), nested, known)
    held = f"\n\nIts keys:\n\n{_listed(inside)}" if inside else ""
    return f"{'.'.join(done)}: {key.type}\n\n{key.described()}{held}"


@frozen
class _Key:
    """One key: what it accepts, its default or `required`, what it means, what it becomes."""

    type: str
    default: str
    meaning: str
    members: tuple[str, ...]

    def described(self) -> str:
        default = f" ({self.default})" if self.default else ""
        becomes = f"\nBecomes {', '.join(self.members)}." if self.members else ""
        return f"{self.meaning}{default}{becomes}".strip()


def _keys(
    schema: JsonObject, model: type[BaseModel], known: frozenset[str] | None
) -> dict[str, _Key]:
    required = schema.get("required", ())
    fields = fields_of(model)
    found = {}
    for name, value in schema.get("properties", {}).items():
        given = default_of(value)
        default = "required" if name in required else f"default {given}" if given else ""
        members = _members(fields[name], name, known) if name in fields and known else ()
        found[name] = _Key(type_of(value), default, value.get("description", ""), members)
    return {name: key for name, key in found.items() if name != "kind"}


def _members(field: Any, name: str, known: frozenset[str]) -> tuple[str, ...]:
    """Return the members of the request that a key becomes, those that the Type has."""
    member = declared(field)
    paths = member.paths if member is not None else ((camel_case(name),),)
    found = [path for path in paths if known.issuperset(path)]
    exact = max(map(len, found), default=0)  # `InputMode` alone is a member of something else
    return tuple(".".join(path) for path in found if len(path) == exact)


def _known(kind: Kind) -> frozenset[str]:
    """Return the names of all members of a kind's requests, and of the keys around them."""
    names = {"DependsOn", "CacheConfig", "RetryPolicies", "DisplayName", "Description"}
    for type_name in filter(None, (kind.type, *kind.further)):
        shapes = shapes_of(steptypes.require(type_name))
        pending = [] if shapes.request is None else [shapes.request.name]
        seen = set(pending)
        while pending:
            shape = shapes.get(pending.pop())
            names.update(shape.members)
            below = {*shape.members.values(), shape.element, shape.value} - seen
            found = {one for one in below if one is not None}
            seen |= found
            pending += found
    return frozenset(names)


def _entry_model(annotation: Any) -> type[BaseModel] | None:
    """Return the model of what a key holds, itself or in each entry."""
    while annotation is not None and not is_model(annotation):
        annotation = type_below(annotation, 0)
    return annotation


def _schema(model: type[BaseModel]) -> JsonObject:
    return long_form(model.model_json_schema(ref_template="#/$defs/{model}"))


def _listed(keys: dict[str, _Key]) -> str:
    return "\n".join(line for name, key in keys.items() for line in _entry(name, key))


def _entry(name: str, key: _Key) -> Iterator[str]:
    yield f"  {name}: {key.type}"
    for text in key.described().splitlines():
        yield from textwrap.wrap(text, _WIDTH, initial_indent="      ", subsequent_indent="      ")


def _no_key(owner: str, word: str, keys: list[str]) -> UsageError:
    close = nearest(word, keys)
    listed = f"its keys are {', '.join(keys)}" if keys else "it has no keys of its own"
    advice = f"did you mean `{owner}.{close}`?" if close else listed
    return UsageError(f"`{owner}` has no key `{word}`", advice)
