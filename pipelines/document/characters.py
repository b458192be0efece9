"""What a text may be made of: UTF-8, and only the characters that YAML allows."""

from __future__ import annotations

import re
import unicodedata
from itertools import islice
from typing import TYPE_CHECKING

from pipelines.document.extents import character
from pipelines.document.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_SHOWN = 20
_FORBIDDEN = re.compile(
    "[\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\x7f-\\x9f\\u2028\\u2029\\ud800-\\udfff\\ufeff\\ufffe\\uffff]"
)


def decoded(data: bytes) -> tuple[str, Problem | None]:
    """Return bytes as text, and what is wrong where they are not UTF-8."""
    try:
        return data.decode("utf-8"), None
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "replace")
        before = data[: error.start].decode("utf-8", "replace")
        place = character(before, len(before))
        if data.startswith((b"\xff\xfe", b"\xfe\xff")):
            return text, Problem("SP111", "the file is UTF-16", place, "save it as UTF-8")
        shown = data[error.start]
        message = f"the file is not UTF-8: byte 0x{shown:02x} at offset {error.start}"
        return text, Problem("SP111", message, place, "save it as UTF-8")


def forbidden(text: str) -> Iterator[Problem]:
    """Find the characters that no YAML text may hold; of very many only the first."""
    if text.isascii() and text.isprintable():
        return
    for match in islice(_FORBIDDEN.finditer(text), _MOST_SHOWN):
        char = match.group()
        name = unicodedata.name(char, "a control character").lower()
        yield Problem(
            "SP114",
            f"U+{ord(char):04X} ({name}) may not stand in this file",
            character(text, match.start()),
            f'remove it, or write `\\u{ord(char):04x}` inside "double quotes"',
        )
