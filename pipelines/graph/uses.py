"""Where a step's spec refers to something: every reference with its path."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from pydantic import BaseModel

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.json_types import Json
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


def uses_in(value: Json, path: Path) -> Iterator[Use]:  # noqa: C901 - one case per sort of value
    """Walk a model, the keys as the user wrote them, and yield its references in order."""
    match value:
        case Template(references=references):
            yield from (Use(reference, path) for reference in references)
        case BaseModel():
            for name, field in type(value).model_fields.items():
                yield from uses_in(getattr(value, name), (*path, field.alias or name))
        case dict():
            for key, item in value.items():
                yield from uses_in(item, (*path, key))
        case list():
            for index, item in enumerate(value):
                yield from uses_in(item, (*path, index))
        case _ if isinstance(value, _EXPRESSIONS):
            yield from (Use(reference, path) for reference in references_in(value))
        case _:
            pass
