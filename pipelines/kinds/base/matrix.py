"""`matrix:` → its rows: what differs from one member of an experiment to the next.

`include` and `exclude` mean what they mean in a matrix of GitHub Actions.
"""

import hashlib
import itertools
import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, TypeAlias

from pipelines.diagnostics import Path
from pipelines.diagnostics.nearest import nearest
from pipelines.json_types import Json, JsonObject
from pipelines.spec.values import (
    Scalar,
    any_fixed_text,
    describe,
    literal_scalar,
    mistake,
    read_at,
    scalar_text,
)

Row: TypeAlias = Mapping[str, str | int | float | bool]

KEYS: Final = ("instance_type", "image")
"""Axes that are keys of the step; every other one is a hyperparameter."""

_INCLUDE, _EXCLUDE = "include", "exclude"
LISTS: Final = (_INCLUDE, _EXCLUDE)
MOST: Final = 49
"""A pipeline has 50 steps (FACTS 2.1), one of which chooses among the members."""

TOO_MANY: Final = "let `kind: tuning` try combinations in one step, or make the matrix smaller"


_LONGEST_NAME: Final = 64
_SHOWN: Final = 32
_DIGEST: Final = 6
LONGEST_STEP: Final = _LONGEST_NAME - _DIGEST - 1
"""How long the name of an experiments step may be."""


def rows(matrix: JsonObject) -> tuple[Row, ...]:
    """Return the combinations that are not excluded, with what is included.

    An entry of `include` is added to each combination that has its values of the axes; one that
    fits none is a row of its own. What one entry has added, a later one may overwrite.
    """
    axes, known = _axes(matrix), _known(matrix)
    found, further = [dict(row) for row in known], []
    for entry in matrix.get(_INCLUDE, []):
        extended = [at for at, row in enumerate(known) if _fits(row, entry, axes)]
        for at in extended:
            found[at].update(entry)
        if not extended:
            further.append(entry)
    return (*found, *further)


def member_name(step: str, row: Row) -> str:
    """Name the step of a row by its values and a digest of it, whatever rows there are beside it.

    The service caches by the name of a step: a row that was trained keeps its result when others
    are added, removed or moved.
    """
    texts = {key: scalar_text(row[key]) for key in sorted(row)}
    digest = hashlib.sha256(json.dumps(texts).encode()).hexdigest()[:_DIGEST]
    words = (re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_") for text in texts.values())
    room = _LONGEST_NAME - len(step) - _DIGEST - 2
    shown = "-".join(word for word in words if word)[: max(0, min(room, _SHOWN))].rstrip("-_")
    return "-".join(part for part in (step, shown, digest) if part)


def _known(matrix: JsonObject) -> list[Row]:
    """Return the combinations that are not excluded."""
    excluded = matrix.get(_EXCLUDE, [])
    found = _combinations(_axes(matrix))
    return [row for row in found if not any(_matches(row, one) for one in excluded)]


def _fits(row: Row, entry: Row, axes: Mapping[str, list[Any]]) -> bool:
    """Return whether an entry of `include` overwrites no value of an axis."""
    return _matches(row, {key: value for key, value in entry.items() if key in axes})


def _axes(matrix: JsonObject) -> dict[str, list[Any]]:
    return {key: values for key, values in matrix.items() if key not in LISTS}


def _combinations(axes: Mapping[str, list[Any]]) -> Iterator[Row]:
    if axes:
        for values in itertools.product(*axes.values()):
            yield dict(zip(axes, values, strict=True))


def _matches(row: Row, entry: Row) -> bool:
    return all(key in row and scalar_text(row[key]) == scalar_text(entry[key]) for key in entry)


def _matrix(value: object) -> JsonObject:
    if not isinstance(value, dict):
        raise mistake("SP121", f"must be a mapping, got {describe(value)}")
    read: JsonObject = {}
    for key, listed in value.items():
        if not isinstance(listed, list) or not listed:
            wanted = "a list of at least one " + ("row" if key in LISTS else "value")
            got = "an empty one" if listed == [] else describe(listed)
            raise mistake("SP121", f"must be {wanted}, got {got}", below=(key,))
        part = _row if key in LISTS else _value
        read[key] = [part(one, (key, index)) for index, one in enumerate(listed)]
    _refuse_size(read)
    _refuse_repetition(read)
    _refuse_idle(read)
    return read


def _row(value: object, path: Path) -> JsonObject:
    if not isinstance(value, dict) or not value:
        advice = "such as `{lr: 0.1}`"
        got = "an empty one" if value == {} else describe(value)
        raise mistake("SP121", f"must be a mapping, got {got}", advice, below=path)
    return {key: _value(inner, (*path, key)) for key, inner in value.items()}


def _value(value: object, path: Path) -> Json:
    of_key = next((part for part in path if isinstance(part, str) and part not in LISTS), "")
    if isinstance(value, str):
        return read_at(path, any_fixed_text, value)
    if of_key in KEYS or isinstance(value, dict | list):
        wanted = "a text" if of_key in KEYS else "a text, a number or true/false"
        advice = "types of which a job gets the first free one are a list of the step itself"
        help_text = advice if of_key in KEYS and isinstance(value, list) else None
        raise mistake("SP121", f"must be {wanted}, got {describe(value)}", help_text, below=path)
    return read_at(path, literal_scalar, value)


def _refuse_size(matrix: JsonObject) -> None:
    axes = _axes(matrix)
    product = math.prod(map(len, axes.values())) if axes else 0
    # What is left of very many is not counted: a list of exclusions is no way to make it small.
    count = product if product > MOST * MOST else len(rows(matrix))
    if count > MOST:
        message = f"the matrix has {count} members; a pipeline takes {MOST} besides their selection"
        raise mistake("SP135", message, TOO_MANY)
    if not count:
        advice = "exclude less, or include a row" if axes else "such as `lr: [0.1, 0.3]`"
        raise mistake("SP135", "the matrix has no member", advice)


def _refuse_repetition(matrix: JsonObject) -> None:
    for key, values in _axes(matrix).items():
        for index, value in enumerate(values):
            if scalar_text(value) in map(scalar_text, values[:index]):
                message = f"`{value}` is twice in `{key}`"
                raise mistake("SP135", message, "remove one", below=(key, index))
    known, axes = _known(matrix), _axes(matrix)
    for index, row in enumerate(matrix.get(_INCLUDE, [])):
        has_fit = any(_fits(one, row, axes) for one in known) and not row.keys() - axes.keys()
        earlier = matrix[_INCLUDE][:index]
        if has_fit or any(_matches(row, one) and _matches(one, row) for one in earlier):
            message = "the matrix has this row already"
            advice = "remove it, or add what is new in it"
            raise mistake("SP135", message, advice, below=(_INCLUDE, index))


def _refuse_idle(matrix: JsonObject) -> None:
    """Refuse exclusions that exclude nothing: they are misspelt."""
    axes = _axes(matrix)
    for index, entry in enumerate(matrix.get(_EXCLUDE, [])):
        for key in entry:
            if key not in axes:
                close = nearest(key, axes)
                advice = f"did you mean `{close}`?" if close else f"known are {', '.join(axes)}"
                message = f"the matrix has no `{key}`"
                raise mistake("SP135", message, advice, below=(_EXCLUDE, index, key))
        if not any(_matches(row, entry) for row in _combinations(axes)):
            message = "no combination of the matrix matches this row"
            raise mistake("SP135", message, "correct or remove it", below=(_EXCLUDE, index))


_SCHEMA: Final[JsonObject] = {
    "type": "object",
    "properties": {
        key: {"type": "array", "items": {"type": "object"}, "minItems": 1} for key in LISTS
    },
    "additionalProperties": {
        "type": "array",
        "items": {"type": ["string", "number", "boolean"]},
        "minItems": 1,
    },
}

Matrix: TypeAlias = Annotated[
    dict[str, Any], Scalar(_matrix, tuple(_SCHEMA.items()), referable=False)
]
"""Values by axis, with the rows to `include` and to `exclude`."""
