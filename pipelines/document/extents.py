"""Stretches of a text, taken from the marks that YAML's events carry."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from yaml.events import Event

_PROPERTIES = r"(?:[&!][^\s,\[\]{}]*|[ \t\n]+|#[^\n]*)*"


class Extent(NamedTuple):
    """A stretch of the text: lines and columns count from 1, the end is exclusive."""

    line: int
    column: int
    end_line: int
    end_column: int


START = Extent(1, 1, 1, 1)


class Mark(Protocol):
    """A place in the text, line, column and index counted from 0; libyaml has its own class."""

    @property
    def line(self) -> int: ...  # noqa: D102 - said above
    @property
    def column(self) -> int: ...  # noqa: D102 - said above
    @property
    def index(self) -> int: ...  # noqa: D102 - said above


def marks(event: Event) -> tuple[Mark, Mark]:
    """Return where an event begins and ends; every event of a parser has both."""
    start, end = event.start_mark, event.end_mark
    assert start is not None  # noqa: S101 - only events made by hand have none
    assert end is not None  # noqa: S101 - only events made by hand have none
    return start, end


def between(start: Mark, end: Mark) -> Extent:
    """Return the stretch between two marks."""
    return Extent(start.line + 1, start.column + 1, end.line + 1, end.column + 1)


def character(text: str, index: int, length: int = 1) -> Extent:
    """Return the stretch of `length` characters at an index of the text, on one line."""
    line = text.count("\n", 0, index) + 1
    column = index - (text.rfind("\n", 0, index) + 1) + 1
    return Extent(line, column, line, column + length)


def without_properties(text: str, start: Mark, end: Mark) -> Extent:
    """Return the stretch between two marks without the anchor or tag it begins with."""
    match = re.compile(_PROPERTIES).match(text, start.index, end.index)
    first = match.end() if match else start.index
    passed = text[start.index : first]
    lines = passed.count("\n")
    column = len(passed) - passed.rfind("\n") if lines else start.column + 1 + len(passed)
    return Extent(start.line + 1 + lines, column, end.line + 1, end.column + 1)


def without_space_after(text: str, start: Mark, end: Mark) -> Extent:
    """Return the stretch between two marks without the empty lines it ends with."""
    written = text[start.index : end.index].rstrip()
    lines = written.count("\n")
    last = len(written) - written.rfind("\n") if lines else start.column + 1 + len(written)
    return Extent(start.line + 1, start.column + 1, start.line + 1 + lines, last)
