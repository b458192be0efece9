"""Paths into JSON: `.member`, `[0]`, `['key']` (FACTS 1.6). There is no other grammar of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Final, TypeAlias

from pipelines.json_types import Json

_MEMBER: Final = r"""[^.\[\]'"]+"""
_PART: Final = re.compile(
    rf"""(?P<dot>\.)?(?P<member>{_MEMBER})|\[(?P<index>-?\d+)\]|\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]""",
    re.DOTALL,
)


class Key(str):
    """`['name']`: an entry of a map, or the entry of a list that carries the name."""

    __slots__ = ()


PathPart: TypeAlias = str | int
"""A member (`str`), an entry by name (`Key`) or by index (`int`)."""

ValuePath: TypeAlias = tuple[PathPart, ...]
"""The way down from one JSON value to another."""


class PathError(Exception):
    """A path cannot be read or leads nowhere; the text says where it ended."""


def parts_of(text: str) -> Iterator[tuple[PathPart, int]]:
    """Yield the parts of a path, each with the position behind it.

    A member behind another part has a dot before it; before the first one it is optional.

    Raises:
        PathError: the text is not a path.
    """
    position = 0
    while position < len(text):
        match = _PART.match(text, position)
        if match is None or (match["member"] and not match["dot"] and position):
            raise PathError(f"`{text}` is not a path: cannot read `{text[position:]}`")
        position = match.end()
        if match["index"] is not None:
            yield int(match["index"]), position
        else:
            yield match["member"] or Key(match["key"]), position


def parse_path(text: str) -> ValuePath:
    """Return the parts of a path.

    Raises:
        PathError: the text is not a path.
    """
    return tuple(part for part, _ in parts_of(text))


def parse_json_path(text: str) -> ValuePath:
    """Return the parts of a JsonGet's `Path`, less JSONPath's root: `$.auc`, `$['auc']`.

    Raises:
        PathError: the text is not a path.
    """
    return parse_path(text[1:] if text.startswith(("$.", "$[")) else text)


def show_path(path: ValuePath) -> str:
    """Write a path as the definition language does, the first member without a dot."""
    return "".join(map(_shown, path)).removeprefix(".")


def _shown(part: PathPart) -> str:
    if isinstance(part, int):
        return f"[{part}]"
    if not isinstance(part, Key) and re.fullmatch(_MEMBER, part):
        return f".{part}"
    quote = '"' if "'" in part else "'"
    return f"[{quote}{part}{quote}]"


def follow(value: Json, path: ValuePath) -> Json:
    """Return what lies at a path; a string in a list picks the item that carries it as its name.

    SageMaker keys lists such as `Outputs` (OutputName), `ProcessingInputs` (InputName) and
    `InputDataConfig` (ChannelName) that way: any string member whose key ends in `Name` counts.

    Raises:
        PathError: there is nothing at the path.
    """
    for depth, part in enumerate(path):
        value = _child(value, part, path[:depth])
    return value


def _child(value: Json, part: PathPart, parents: ValuePath) -> Json:
    where = f"`{show_path(parents)}`" if parents else "the top"
    match value, part:
        case dict(), str() if part in value:
            return value[part]
        case list(), int() if -len(value) <= part < len(value):
            return value[part]
        case list(), str():
            for item in value:
                if _is_named(item, part):
                    return item
            raise PathError(f"no item named `{part}` at {where}")
        case dict(), _:
            known = ", ".join(f"`{key}`" for key in sorted(map(str, value))[:20]) or "nothing"
            raise PathError(f"no `{part}` at {where}; there is {known}")
        case list(), _:
            raise PathError(f"no item {part} at {where}; there are {len(value)}")
        case _:
            raise PathError(f"{where} is {_sort(value)}, it has no `{part}`")


def _sort(value: Json) -> str:
    match value:
        case str():
            return "a text"
        case bool() | None:
            return f"`{json.dumps(value)}`"
        case _:
            return "a number"


def _is_named(item: Json, name: str) -> bool:
    return isinstance(item, dict) and any(
        value == name and key.endswith("Name") for key, value in item.items()
    )
