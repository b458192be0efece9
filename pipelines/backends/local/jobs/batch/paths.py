"""The JSONPath expressions of batch transform's filters.

The service knows a subset: `$`, `.name`, `*`, `['a','b']`, `[0,5:]`; negative indexes count from
the end, slices have no step. Source: developer guide, "Associate Prediction Results with Input
Records".
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeAlias

from pipelines.backends.local.jobs.spec import JobRefusedError
from pipelines.frozen import frozen
from pipelines.json_types import Json

_STEP = re.compile(
    r"""\.(?P<name>[A-Za-z_][\w-]*)
    |(?P<every>\.\*|\[\*\])
    |\.?\[(?P<names>\s*(?:'[^']*'|"[^"]*")(?:\s*,\s*(?:'[^']*'|"[^"]*"))*\s*)\]
    |\.?\[(?P<places>\s*-?\d*\s*:?\s*-?\d*(?:\s*,\s*-?\d*\s*:?\s*-?\d*)*\s*)\]""",
    re.VERBOSE,
)
_NAME = re.compile(r"""'([^']*)'|"([^"]*)\"""")
_Step: TypeAlias = Callable[[Json], Json]


class PathError(Exception):
    """A record does not have what a path names."""


@frozen
class RecordPath:
    """A path, read.

    Args:
        text: as it was written.
        steps: what is done to a record, one after another.
    """

    text: str
    steps: tuple[_Step, ...]

    @property
    def is_whole(self) -> bool:
        """Whether it selects the whole record."""
        return not self.steps

    def select(self, record: Json) -> Json:
        """Return what it selects of a record.

        Raises:
            PathError: the record does not have it.
        """
        for step in self.steps:
            record = step(record)
        return record


def read_path(member: str, text: str | None) -> RecordPath:
    """Read the path at a member of `DataProcessing`; without one it selects the whole record.

    Raises:
        JobRefusedError: it is not a path of the service's subset.
    """
    written = (text or "$").strip()
    position, steps = 1, list[_Step]()
    while written.startswith("$") and position < len(written):
        found = _STEP.match(written, position)
        step = None if found is None else _step(found)
        if found is None or step is None:
            break
        steps.append(step)
        position = found.end()
    if not written.startswith("$") or position < len(written):
        raise JobRefusedError(
            f"`{text}` at `{member}` is not a JSONPath that batch transform supports",
            "write one such as $, $.features, $[1:], $[0,5:] or $['id','SageMakerOutput']",
        )
    return RecordPath(written, tuple(steps))


def _step(found: re.Match[str]) -> _Step | None:
    if found["name"] is not None:
        return lambda value: _member(value, found["name"])
    if found["every"] is not None:
        return _every
    if found["names"] is not None:
        return _of_names([one or other for one, other in _NAME.findall(found["names"])])
    return _of_places([_place(part) for part in found["places"].split(",")])


def _of_names(names: list[str]) -> _Step:
    if len(names) == 1:
        return lambda value: _member(value, names[0])
    return lambda value: {name: _member(value, name) for name in names}


def _of_places(places: list[int | slice | None]) -> _Step | None:
    known = [place for place in places if place is not None]
    if len(known) < len(places):
        return None
    if len(known) == 1 and isinstance(known[0], int):
        only = known[0]
        return lambda value: _entry(value, only)
    return lambda value: [one for place in known for one in _entries(value, place)]


def _place(text: str) -> int | slice | None:
    start, colon, end = (part.strip() for part in text.partition(":"))
    if not colon:
        return int(start) if start.lstrip("-") else None
    if start == "-" or end == "-":
        return None
    return slice(int(start) if start else None, int(end) if end else None)


def _member(value: Json, name: str) -> Json:
    if not isinstance(value, dict) or name not in value:
        raise PathError(f"the record has no `{name}`")
    return value[name]


def _every(value: Json) -> Json:
    match value:
        case dict():
            return [*value.values()]
        case list():
            return value
        case _:
            raise PathError("the record is neither an object nor a list")


def _entry(value: Json, index: int) -> Json:
    if not isinstance(value, list):
        raise PathError("the record is not a list")
    if not -len(value) <= index < len(value):
        raise PathError(f"the record has {len(value)} entries, none at {index}")
    return value[index]


def _entries(value: Json, place: int | slice) -> list[Json]:
    if isinstance(place, int):
        return [_entry(value, place)]
    if not isinstance(value, list):
        raise PathError("the record is not a list")
    return value[place]
