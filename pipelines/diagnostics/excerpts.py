"""One line of a text and a stretch of it → the line and the carets under it.

Columns of a text are characters, columns of a terminal are not: tabs and wide characters
take several, combining ones none. Long lines are cut around the stretch.
"""

from __future__ import annotations

import unicodedata

_TAB = 4
_WIDEST = 140
_BEFORE = 40
_ELLIPSIS = "…"


def excerpt(line: str, column: int, end_column: int) -> tuple[str, str]:
    """Return a line as a terminal shows it, and the carets under it without trailing space.

    Args:
        line: one line of a text, without its line break.
        column: where the stretch begins, counted from 1.
        end_column: where it ends, exclusive; never less than one caret is drawn.
    """
    offset = max(0, column - 1 - 2 * _WIDEST)  # what is farther away is never shown
    cells = [_shown(char) for char in line[offset : column - 1 + 2 * _WIDEST]]
    start = min(max(column - 1 - offset, 0), len(cells))
    end = min(max(end_column - 1 - offset, start), len(cells))
    first, last = _window(cells, start, end)
    lead = _ELLIPSIS if first > 0 else ""
    trail = _ELLIPSIS if last < len(cells) else ""
    indent = len(lead) + sum(map(_width, cells[first:start]))
    carets = max(1, sum(map(_width, cells[start : min(end, last)])))
    return f"{lead}{''.join(cells[first:last])}{trail}", " " * indent + "^" * carets


def visible(text: str, kept: str = "\n") -> str:
    """Return text with its control characters written as escapes: a terminal obeys none of them.

    Args:
        text: any text.
        kept: control characters that stay as they are.
    """
    if text.isprintable():
        return text
    return "".join(
        char
        if char.isprintable() or char in kept or unicodedata.category(char) == "Zs"
        else _escaped(char)
        for char in text
    )


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode("ascii")


def _shown(char: str) -> str:
    if char == "\t":
        return " " * _TAB
    if char.isprintable() or unicodedata.category(char) == "Zs":
        return char
    return "\N{REPLACEMENT CHARACTER}"


def _width(cell: str) -> int:
    if len(cell) > 1 or cell.isascii():
        return len(cell)
    if unicodedata.combining(cell):
        return 0
    return 2 if unicodedata.east_asian_width(cell) in "WF" else 1


def _window(cells: list[str], start: int, end: int) -> tuple[int, int]:
    """Choose the characters to show: all of them, or some around the stretch."""
    if sum(map(_width, cells)) <= _WIDEST:
        return 0, len(cells)
    first = max(0, min(start - _BEFORE, len(cells) - _WIDEST + 2))
    last, room = first, _WIDEST - 2
    while last < len(cells) and room >= _width(cells[last]):
        room -= _width(cells[last])
        last += 1
    return first, max(last, min(end, start + 1))
