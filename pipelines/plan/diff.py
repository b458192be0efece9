"""Two definitions → where they differ: steps are matched by name, named items of lists too."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from itertools import zip_longest

from pipelines.definition.steps import Step, take_apart
from pipelines.frozen import frozen
from pipelines.grammar.functions import is_function
from pipelines.grammar.paths import Key, ValuePath
from pipelines.json_types import Json, JsonObject


class ChangeKind(StrEnum):
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
        kind: what happened.
        step: the step it happened in; None for the pipeline itself.
        path: where in the step, or in the pipeline; empty for the whole step. A `Key` is the name
            that an item of a list carries, as `train` of the input `train`.
        before: what was there; None where nothing was. Of a step that moved: its branch.
        after: what is there now, likewise.
    """

    kind: ChangeKind
    step: str | None
    path: ValuePath
    before: Json
    after: Json


def same(one: Json, other: Json) -> bool:
    """Return whether two JSON values are the same: `1`, `1.0` and `true` are three values."""
    return one is other or json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def diff(before: JsonObject, after: JsonObject) -> tuple[Change, ...]:
    """Return every difference, none exactly when the two are the same.

    Either may be any JSON object: what is deployed may be somebody else's work.
    """
    old, new = steps_of(before), steps_of(after)
    if old is None or new is None:
        return tuple(_members(None, (), before, after))
    return tuple(_diff(before, after, old, new))


def steps_of(definition: JsonObject) -> dict[str, Step] | None:
    """Return the steps of a definition by name, those inside other steps too.

    None when a step has no name, or not one of its own: such a thing can be compared as JSON only.
    """
    parts = take_apart(definition)
    whole = not parts.misplaced and len(parts.named) == len(parts.steps)
    return parts.named if whole else None


def _place(step: Step) -> list[str]:
    """Return the step and the branch that a step stands in; nothing at the top."""
    return [] if step.branch is None else [step.branch.owner, step.branch.argument]


def _diff(
    before: JsonObject, after: JsonObject, old: Mapping[str, Step], new: Mapping[str, Step]
) -> Iterator[Change]:
    yield from _members(None, (), _head(before), _head(after))
    for name, step in old.items():
        if name not in new:
            yield Change(ChangeKind.REMOVED, name, (), step.apart, None)
    for name, step in new.items():
        if name not in old:
            yield Change(ChangeKind.ADDED, name, (), None, step.apart)
            continue
        was, now = _place(old[name]), _place(step)
        if was != now:
            yield Change(ChangeKind.MOVED, name, (), was, now)
        yield from _members(name, (), old[name].apart, step.apart)
    yield from _orders(old, new)


def _head(definition: JsonObject) -> JsonObject:
    """Return a definition without its steps, which are compared one by one."""
    steps = definition.get("Steps")
    return {**definition, "Steps": []} if isinstance(steps, list) else definition


def _orders(old: Mapping[str, Step], new: Mapping[str, Step]) -> Iterator[Change]:
    """Yield where steps that stayed in a branch stand in another order there.

    Steps that come and go say themselves why the places of others changed.
    """
    stayed: dict[tuple[str, ...], list[str]] = {}
    for name, step in new.items():
        if name in old and _place(old[name]) == _place(step):
            stayed.setdefault(tuple(_place(step)), []).append(name)
    for place, now in stayed.items():
        was = sorted(now, key=lambda name: old[name].path[-1])
        if was != now:
            owner, path = (place[0], ("Arguments", place[1])) if place else (None, ("Steps",))
            yield Change(ChangeKind.ORDERED, owner, path, was, now)


def _members(
    step: str | None, path: ValuePath, before: JsonObject, after: JsonObject
) -> Iterator[Change]:
    for key in dict.fromkeys((*before, *after)):
        yield from _values(step, (*path, key), before, after, key)


def _values(
    step: str | None, path: ValuePath, before: JsonObject, after: JsonObject, key: str
) -> Iterator[Change]:
    if key not in after:
        yield Change(ChangeKind.REMOVED, step, path, before[key], None)
    elif key not in before:
        yield Change(ChangeKind.ADDED, step, path, None, after[key])
    else:
        yield from _value(step, path, before[key], after[key])


def _value(step: str | None, path: ValuePath, before: Json, after: Json) -> Iterator[Change]:
    if same(before, after):
        return
    if _is_plain(before) and _is_plain(after):
        yield from _members(step, path, before, after)
    elif isinstance(before, list) and isinstance(after, list):
        yield from _lists(step, path, before, after)
    else:
        yield Change(ChangeKind.CHANGED, step, path, before, after)


def _is_plain(value: Json) -> bool:
    return isinstance(value, dict) and not is_function(value)


def _lists(
    step: str | None, path: ValuePath, before: list[Json], after: list[Json]
) -> Iterator[Change]:
    member = _naming(before, after)
    if member is None:
        if len(before) == len(after) and all(map(_is_plain, (*before, *after))):
            for index, (one, other) in enumerate(zip_longest(before, after)):
                yield from _value(step, (*path, index), one, other)
        else:
            yield Change(ChangeKind.CHANGED, step, path, before, after)
        return
    was: JsonObject = {Key(item[member]): item for item in before}
    now: JsonObject = {Key(item[member]): item for item in after}
    for key in dict.fromkeys((*was, *now)):
        yield from _values(step, (*path, key), was, now, key)
    if [key for key in was if key in now] != [key for key in now if key in was]:
        yield Change(ChangeKind.ORDERED, step, path, list(map(str, was)), list(map(str, now)))


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
