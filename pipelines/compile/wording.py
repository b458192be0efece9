"""Members of a request that a message names → the keys of the spec that they come from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from pipelines.frozen import frozen
from pipelines.grammar.names import snake_case
from pipelines.spec.members import declared, fields_of, is_model, type_below
from pipelines.spec.model import Aws
from pipelines.spec.steps import StepSpec

_MEMBER = re.compile(r"`([A-Z][A-Za-z0-9]+)`")


def _declared_members(model: type[BaseModel]) -> dict[str, str]:
    """Return member → key of the fields that declare theirs."""
    found = ((key, declared(field)) for key, field in fields_of(model).items())
    return {name: key for key, member in found if member for name in member.names}


ACCOUNT_KEYS = _declared_members(Aws)
"""Members of a request that the spec has once, for all steps."""


@frozen
class Words:
    """Writes members of a request as keys of the spec; other words in backticks stay.

    Args:
        model: the model of the step; None where it is about none.
        members: the members that may be meant.
        place: the key of the step that the finding is placed at.
        shared: member → place in `aws:`, of a finding that is placed there.
    """

    model: type[StepSpec] | None
    members: set[str | int]
    place: str | int | None
    shared: Mapping[str, str]

    def translate(self, text: str) -> str:
        """Translate a message."""
        return _MEMBER.sub(self._key, text)

    def _key(self, match: re.Match[str]) -> str:
        member = match.group(1)
        if member in self.shared:
            return f"`{self.shared[member]}`"
        known = _all_declared(self.model) if self.model else {}
        own = member in known and known[member] == self.place
        if member in ACCOUNT_KEYS and not own:
            return f"`aws.{ACCOUNT_KEYS[member]}`"
        key = known.get(member, snake_case(member))
        return f"`{key}`" if member in self.members or self._has(key, member) else match.group()

    def _has(self, key: str, member: str) -> bool:
        """Return whether the step has the key; one word, as `File`, may be a value as well."""
        if self.model is None:
            return False
        is_one_word = "_" not in snake_case(member)
        return key in (fields_of(self.model) if is_one_word else _all_keys(self.model))


def _all_declared(model: type[BaseModel]) -> dict[str, str]:
    """Return member → key of a model and of all models inside of it, outer ones first."""
    found = _declared_members(model)
    for inner in _models_in(model):
        found = {**_all_declared(inner), **found}
    return found


def _all_keys(model: type[BaseModel]) -> set[str]:
    """Return the keys of a model and of all models inside of it."""
    return {*fields_of(model)}.union(*map(_all_keys, _models_in(model)))


def _models_in(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for key in fields_of(model):
        inner = type_below(model, key)
        inner = inner if is_model(inner) else type_below(inner, 0)
        if is_model(inner):
            yield inner
