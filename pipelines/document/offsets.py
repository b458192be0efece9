"""Character offsets in a scalar's value → lines and columns in the text it was written as.

Each style is decoded once more, here with the place of every character, and the result is
held against the value: where they differ the answer is None, never a wrong place.
Source: YAML 1.2.2, chapters 7.3 (flow scalars) and 8.1 (block scalars).
"""

from __future__ import annotations

import re
from typing import TypeAlias

from pipelines.frozen import frozen

Point: TypeAlias = tuple[int, int]
"""A line of the scalar and a column of the text, both counted from 0."""

_ESCAPE = (
    r"\\(?:u([dD][89abAB][0-9a-fA-F]{2})\\u([dD][c-fC-F][0-9a-fA-F]{2})"
    r"|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([^xuU]))"
)
_LETTERS = {
    "0": "\0", "a": "\a", "b": "\b", "t": "\t", "\t": "\t", "n": "\n", "v": "\v",
    "f": "\f", "r": "\r", "e": "\x1b", " ": " ", '"': '"', "/": "/", "\\": "\\",
    "N": "\x85", "_": "\xa0", "L": "\u2028", "P": "\u2029",
}  # fmt: skip


@frozen
class Char:
    """One character of a value: what it is, and where it is written."""

    char: str
    line: int
    start: int
    end: int


def decoded(lines: list[str], column: int, style: str, value: str) -> list[Char] | None:
    """Return the characters of a scalar's value with their places; None where they differ.

    Args:
        lines: the lines of the text that the scalar stands on, the last one cut at its end.
        column: where the scalar begins in the first of them, counted from 0.
        style: `plain`, or the indicator `'`, `"`, `|` or `>`.
        value: what the scalar was read as.
    """
    if style in ("plain", "'", '"'):
        chars = _flow(lines, column, style)
        return chars if chars is not None and _text(chars) == value else None
    if style not in ("|", ">"):
        return None
    for indent in _indents(lines[0][column:], lines[1:]):
        chars = _block(lines[1:], indent, style)
        if _text(chars).rstrip("\n") == value.rstrip("\n"):
            return chars
    return None


def part_of(chars: list[Char] | None, within: tuple[int, int]) -> tuple[Point, Point] | None:
    """Return where the characters `within` (start, end) of a decoded scalar are written."""
    if not chars:
        return None
    start = min(max(within[0], 0), len(chars) - 1)
    end = min(max(within[1], start + 1), len(chars))
    first, last = chars[start], chars[end - 1]
    return (first.line, first.start), (last.line, last.end)


def double_quoted(lines: list[str], column: int) -> str | None:
    """Decode a double-quoted scalar, pairs of surrogates included; None where it is malformed."""
    chars = _flow(lines, column, '"')
    return None if chars is None else "".join(char.char for char in chars)


def _text(chars: list[Char]) -> str:
    return "".join(char.char for char in chars)


def _flow(lines: list[str], column: int, style: str) -> list[Char] | None:
    """Decode a plain or quoted scalar, its lines folded."""
    quote = 0 if style == "plain" else 1
    chars: list[Char] = []
    breaks = 0
    for number, line in enumerate(lines):
        start = column + quote if number == 0 else len(line) - len(line.lstrip(" \t"))
        last = number == len(lines) - 1
        end = len(line) - quote if last else len(line.rstrip(" \t"))
        if number > 0 and start >= end and not last:
            breaks += 1
            continue
        if number > 0:
            chars += _folded(chars, breaks, number)
            breaks = 0
        decoded = _line(line, number, (start, max(start, end)), style)
        if decoded is None:
            return None
        chars += decoded
    return chars


def _folded(chars: list[Char], breaks: int, number: int) -> list[Char]:
    r"""Return what stands for a line break: a space, or one `\\n` for each empty line."""
    line, column = (chars[-1].line, chars[-1].end) if chars else (number, 0)
    return [Char(char, line, column, column) for char in ("\n" * breaks or " ")]


def _line(line: str, number: int, part: tuple[int, int], style: str) -> list[Char] | None:
    chars: list[Char] = []
    at, end = part
    while at < end:
        char, width = line[at], 1
        if style == "'" and char == "'":
            width = 2
        elif style == '"' and char == "\\":
            match = re.compile(_ESCAPE).match(line, at, end)
            unescaped = None if match is None else _unescaped(match)
            if match is None or unescaped is None:
                return None
            char, width = unescaped, len(match.group())
        chars.append(Char(char, number, at, at + width))
        at += width
    return chars


def _unescaped(match: re.Match[str]) -> str | None:
    high, low, *codes, letter = match.groups()
    if high is not None:
        return chr(0x10000 + ((int(high, 16) - 0xD800) << 10) + int(low, 16) - 0xDC00)
    for code in codes:
        if code is not None:
            number = int(code, 16)
            return chr(number) if number < 0x110000 else None
    return _LETTERS.get(letter)


def _indents(header: str, lines: list[str]) -> list[int]:
    """Return the indentations a block scalar may have, the likeliest first."""
    written = next((line for line in lines if line.strip(" ")), "")
    leading = len(written) - len(written.lstrip(" "))
    explicit = any(char.isdigit() for char in header[1:3])
    return list(range(leading, -1, -1)) if explicit else [leading]


def _block(lines: list[str], indent: int, style: str) -> list[Char]:
    """Decode the lines of a literal or folded scalar; the line breaks at its end are left off."""
    chars: list[Char] = []
    breaks = 0
    deep = False
    for number, line in enumerate(lines, start=1):
        content = line[indent:]
        if content:
            was_deep, deep = deep, content[0] in " \t"
            if style == ">" and chars and not (deep or was_deep):
                chars += _folded(chars, breaks - 1, number)
            else:
                chars += [Char("\n", number - 1, 0, 0)] * breaks
            breaks = 0
            chars += [
                Char(char, number, at, at + 1) for at, char in enumerate(content, start=indent)
            ]
        breaks += 1
    return chars
