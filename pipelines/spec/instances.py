"""`instance_type`: one type, or several in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeAlias

from pipelines.spec.references import Template
from pipelines.spec.values import Scalar, mistake, read_at, templated_text

MOST_TYPES = 5
_TEXTS = {"type": "array", "items": {"type": "string"}, "minItems": 1, "maxItems": MOST_TYPES}

ONE_OR_SEVERAL = (("anyOf", [{"type": "string"}, _TEXTS]),)
"""The JSON schema of such a key."""


def one_or_several(value: object, read: Callable[[object], object]) -> object:
    """Take an instance type, or a list of them.

    Args:
        value: what is written.
        read: reads one of them.
    """
    if not isinstance(value, list):
        return read(value)
    names = [read_at((index,), read, one) for index, one in enumerate(value)]
    if not 1 <= len(names) <= MOST_TYPES:
        message = f"`instance_type` has {len(names)} types, and has to have 1 to {MOST_TYPES}"
        raise mistake("SP122", message, "name the first choice first")
    if any(name in names[:index] for index, name in enumerate(names)):
        raise mistake("SP122", "`instance_type` names a type twice", "keep only one")
    return names


def types_in(given: str | Template | list[str | Template]) -> tuple[str | Template, ...]:
    """Return the types of such a key, the first choice first."""
    return tuple(given) if isinstance(given, list) else (given,)


def _one(value: object) -> str | Template:
    if isinstance(value, list):
        advice = "name one type in the step itself; a list of `defaults:` is for other steps"
        raise mistake("SP121", "must be one type: the service takes no list here", advice)
    return templated_text(value)


InstanceType: TypeAlias = Annotated[str | Template, Scalar(_one, (("type", "string"),))]
"""An instance type where the service takes no list, references welcome."""

_READ = Scalar(lambda value: one_or_several(value, templated_text), ONE_OR_SEVERAL, referable=False)

InstanceTypes: TypeAlias = Annotated[str | Template | list[str | Template], _READ]
"""One instance type or several, references welcome in each."""

DefaultInstanceTypes: TypeAlias = Annotated[str | Template | list[str | Template] | None, _READ]
"""As `InstanceTypes`, or None where none are given."""
