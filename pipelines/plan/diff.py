"""Two definitions → where they differ: steps are matched by name, named items of lists too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest
from typing import TypeAlias

from pipelines.frozen import frozen
from pipelines.grammar.functions import is_function
from pipelines.grammar.references import NESTED_STEPS
from pipelines.json_types import Json, JsonObject


class Key(str):
    """In a path: the name that an item of a list carries, as `train` of the input `train`."""

    __slots__ = ()


Path: TypeAlias = tuple[str | int, ...]
"""Members and indexes; a `Key` for an item of a list that is matched by its name."""


class Sort(StrEnum):
    """What happened at a path."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    MOVED = "moved"
    ORDERED = "ordered"


@frozen
class Change:
    """A difference between two definitions.

    Args:
        sort: what happened.
        step: the step it happened in; None for the pipeline itself.
        path: where in the step, or in the pipeline; empty for the whole step.
        before: what was there; None where nothing was. Of a step that moved: its branch.
        after: what is there now, likewise.
    """

    sort: Sort
    step: str | None
    path: Path
    before: Json
    after: Json


def same(one: Json, other: Json) -> bool:
    """Say whether two JSON values are the same: `1`, `1.0` and `true` are three values."""
    return one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def diff(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """Return every difference, none exactly when the two are the same.

    Either may be any JSON object: what is deployed may be somebody else's work.
    """
    old, new = steps_of(before), steps_of(after)
    if old is None or new is None:
        return tuple(_members(None, (), before, after))
    return tuple(_diff(before, after, old, new))


@frozen
class Placed:
    """A step and where it stands.

    Args:
        step: the step, what its branches hold taken out.
        holder: the step and the branch that it stands in; empty at the top.
        index: its place there.
    """

    step: Json
    holder: tuple[str, ...]
    index: int


def steps_of(definition: JsonObject) -> dict[str, Placed] | None:
    """Return the steps of a definition by name, those of branches too.

    None when a step has no name, or not one of its own: such a thing can be compared as JSON only.
    """
    found: dict[str, Placed] = {}
    for placed in _placed(definition.get("Steps"), ()):
        name = placed.step.get("Name") if isinstance(placed.step, dict) else None
        if not isinstance(name, str) or name in found:
            return None
        found[name] = placed
    return found


def _placed(steps: Json, holder: tuple[str, ...]) -> Iterator[Placed]:
    if not isinstance(steps, list):
        return
    for index, step in enumerate(steps):
        arguments = step.get("Arguments") if isinstance(step, dict) else None
        if not isinstance(arguments, dict) or not _is_holder(arguments):
            yield Placed(step, holder, index)
            continue
        kept = {
            key: _shape(value) if key in NESTED_STEPS else value for key, value in arguments.items()
        }
        yield Placed({**step, "Arguments": kept}, holder, index)
        for branch in NESTED_STEPS:
            yield from _placed(arguments.get(branch), (str(step.get("Name")), branch))


def _is_holder(arguments: JsonObject) -> bool:
    return any(isinstance(arguments.get(branch), list) for branch in NESTED_STEPS)


def _shape(value: Json) -> Json:
    """Stand in for a branch: its steps are looked at on their own, but `[]` is not nothing."""
    return [] if isinstance(value, list) else value


def _diff(
    before: JsonObject, after: JsonObject, old: Mapping[str, Placed], new: Mapping[str, Placed]
) -> Iterator[Change]:
    yield from _members(None, (), _head(before), _head(after))
    for name, placed in old.items():
        if name not in new:
            yield Change(Sort.REMOVED, name, (), placed.step, None)
    for name, placed in new.items():
        if name not in old:
            yield Change(Sort.ADDED, name, (), None, placed.step)
            continue
        if placed.holder != old[name].holder:
            yield Change(Sort.MOVED, name, (), list(old[name].holder), list(placed.holder))
        yield from _members(name, (), old[name].step, placed.step)
    yield from _orders(old, new)


def _head(definition: JsonObject) -> JsonObject:
    steps = definition.get("Steps")
    return {**definition, "Steps": _shape(steps)} if "Steps" in definition else definition


def _orders(old: Mapping[str, Placed], new: Mapping[str, Placed]) -> Iterator[Change]:
    """Yield where steps that stayed in a branch stand in another order there.

    Steps that come and go say themselves why the places of others changed.
    """
    for holder in dict.fromkeys(placed.holder for placed in new.values()):
        stayed = {n for n in new if n in old and new[n].holder == old[n].holder == holder}
        was = sorted(stayed, key=lambda name: old[name].index)
        now = sorted(stayed, key=lambda name: new[name].index)
        if was != now:
            step, path = (holder[0], ("Arguments", holder[1])) if holder else (None, ("Steps",))
            yield Change(Sort.ORDERED, step, path, was, now)


def _members(
    step: str | None, path: Path, before: JsonObject, after: JsonObject
) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        yield from _values(step, (*path, key), before, after, key)


def _values(
    step: str | None, path: Path, before: JsonObject, after: JsonObject, key: str
) -> Iterator[Change]:
    if key not in after:
        yield Change(Sort.REMOVED, step, path, before[key], None)
    elif key not in before:
        yield Change(Sort.ADDED, step, path, None, after[key])
    else:
        yield from _value(step, path, before[key], after[key])


def _value(step: str | None, path: Path, before: Json, after: Json) -> Iterator[Change]:
    if same(before, after):
        return
    if _is_plain(before) and _is_plain(after):
        yield from _members(step, path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(step, path, before, after)
    else:
        yield Change(Sort.CHANGED, step, path, before, after)


def _is_plain(value: Json) -> bool:
    return isinstance(value, dict) and not is_function(value)


def _lists(step: str | None, path: Path, before: list[Json], after: list[Json]) -> Iterator[Change]:
    member = _naming(before, after)
    if member is None:
        if len(before) == len(after) and all(map(_is_plain, (*before, *after))):
            for index, (one, other) in enumerate(zip_longest(before, after)):
                yield from _value(step, (*path, index), one, other)
        else:
            yield Change(Sort.CHANGED, step, path, before, after)
        return
    was: JsonObject = {Key(item[member]): item for item in before}
    now: JsonObject = {Key(item[member]): item for item in after}
    for key in dict.fromkeys((*was, *now)):
        yield from _values(step, (*path, key), was, now, key)
    if [key for key in was if key in now] != [key for key in now if key in was]:
        yield Change(Sort.ORDERED, step, path, list(map(str, was)), list(map(str, now)))


def _naming(before: Sequence[Json], after: Sequence[Json]) -> str | None:
    """Find the member by which the items of both lists can be told apart, as `InputName`."""
    items = (*before, *after)
    if not items or not all(map(_is_plain, items)):
        return None
    shared: set[str] = set.intersection(*(set(item) for item in items))
    for member in sorted(m for m in shared if m.endswith("Name") or m == "Key"):
        if _tells_apart(member, before) and _tells_apart(member, after):
            return member
    return None


def _tells_apart(member: str, items: Sequence[Json]) -> bool:
    names = [item[member] for item in items]
    return all(isinstance(name, str) for name in names) and len(set(names)) == len(names)
