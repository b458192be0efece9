"""The references in a part of a definition: what each `Get` names, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pipelines.diagnostics import Path
from pipelines.frozen import frozen
from pipelines.grammar.functions import GET, JSON_GET, ReferenceTarget, target_of
from pipelines.json_types import Json

_OF_A_FILE: Final = (JSON_GET, "PropertyFile")


@frozen
class PlacedGet:
    """A `Get` in a definition.

    Args:
        target: what it names.
        path: where its text stands.
        of_file: whether it names the property file of a `Std:JsonGet`.
    """

    target: ReferenceTarget
    path: Path
    of_file: bool


def gets_in(value: Json, path: Path) -> Iterator[PlacedGet]:
    """Yield every `Get` of any part of a definition, in the order of the text."""
    pending = [(value, path)]
    while pending:
        value, path = pending.pop()
        target = target_of(value)
        if target is not None:
            yield PlacedGet(target, (*path, GET), path[-2:] == _OF_A_FILE)
        elif isinstance(value, dict):
            pending.extend((value[key], (*path, key)) for key in reversed(value))
        elif isinstance(value, list):
            pending.extend((value[at], (*path, at)) for at in reversed(range(len(value))))
