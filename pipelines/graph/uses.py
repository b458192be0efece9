"""Where a step's spec refers to something: every reference with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.spec.expressions import Expression, references_in
from pipelines.spec.references import Reference, Template

_EXPRESSIONS = (*get_args(Expression),)


@frozen
class Use:
    """One reference and the value of the document that it stands in."""

    reference: Reference
    path: Path

    @property
    def within(self) -> tuple[int, int]:
        """Its place in the text of that value."""
        return (self.reference.start, self.reference.end)


def entries_of(value: object) -> Iterator[tuple[str | int, object]]:
    """Yield what is directly below a model, a list or a mapping, keys as the user wrote them."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield field.alias or name, getattr(value, name)
    elif isinstance(value, list):
        yield from enumerate(value)
    elif isinstance(value, dict):
        yield from value.items()


def uses_in(value: object, path: Path) -> Iterator[Use]:
    """Walk a model and yield its references in order."""
    if isinstance(value, Template):
        yield from (Use(reference, path) for reference in value.references)
    elif isinstance(value, _EXPRESSIONS):
        yield from (Use(reference, path) for reference in references_in(value))
    else:
        for key, item in entries_of(value):
            yield from uses_in(item, (*path, key))
