"""Paths into JSON: `.member`, `[0]`, `['key']` (FACTS 1.6)."""

from __future__ import annotations

import re

from pipelines.json_types import Json

_TOKEN = re.compile(
    r"""\.?(?P<member>[^.\[\]'"]+)|\[(?P<index>-?\d+)\]|\[(?P<quote>['"])(?P<key>.*?)(?P=quote)\]"""
)


class PathError(Exception):
    """A path does not lead anywhere; the text says where it ended."""


def parse_path(text: str) -> tuple[str | int, ...]:
    """Cut a path into members, keys (both strings) and indexes.

    Raises:
        PathError: the text is no path.
    """
    tokens: list[str | int] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise PathError(f"`{text}` is no path: cannot read `{text[position:]}`")
        index = match["index"]
        tokens.append(int(index) if index is not None else match["member"] or match["key"] or "")
        position = match.end()
    return tuple(tokens)


def parse_json_path(text: str) -> tuple[str | int, ...]:
    """Cut the `Path` of a JsonGet; JSONPath's root, which some write, goes: `$.auc`, `$['auc']`.

    Raises:
        PathError: the text is no path.
    """
    return parse_path(text[1:].removeprefix(".") if text.startswith(("$.", "$[")) else text)


def follow(value: Json, path: tuple[str | int, ...]) -> Json:
    """Go down a path; a string in a list picks the item that carries it as its name.

    SageMaker keys lists such as `Outputs` (OutputName), `ProcessingInputs` (InputName) and
    `InputDataConfig` (ChannelName) that way: any string member whose key ends in `Name` counts.

    Raises:
        PathError: there is nothing at the path.
    """
    for depth, token in enumerate(path):
        value = _child(value, token, path[:depth])
    return value


def _child(value: Json, token: str | int, parents: tuple[str | int, ...]) -> Json:
    where = f"`{show_path(parents)}`" if parents else "the top"
    match value, token:
        case dict(), str() if token in value:
            return value[token]
        case list(), int() if -len(value) <= token < len(value):
            return value[token]
        case list(), str():
            for item in value:
                if _is_named(item, token):
                    return item
            raise PathError(f"no item named `{token}` at {where}")
        case dict(), _:
            known = ", ".join(f"`{key}`" for key in sorted(map(str, value))[:20]) or "nothing"
            raise PathError(f"no `{token}` at {where}; there is {known}")
        case list(), _:
            raise PathError(f"no item {token} at {where}; there are {len(value)}")
        case _:
            raise PathError(f"{where} is {type(value).__name__}, it has no `{token}`")


def _is_named(item: Json, name: str) -> bool:
    return isinstance(item, dict) and any(
        value == name and key.endswith("Name") for key, value in item.items()
    )


def show_path(path: tuple[str | int, ...]) -> str:
    """Write a path as the definition language does."""
    text = ""
    for token in path:
        if isinstance(token, int):
            text += f"[{token}]"
        elif re.fullmatch(r"\w+", token):
            text += f".{token}" if text else token
        else:
            text += f"['{token}']"
    return text
