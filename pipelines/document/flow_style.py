"""The trap of `{a: ${data.b}}`: inside of brackets YAML reads `{data.b}` as a mapping.

The parser stops there. Each such reference is masked and the text read again, so that all
of them are found at once and each line is shown as it should be.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.document.extents import character
from pipelines.document.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from yaml import MarkedYAMLError

_SCALAR = re.compile(r"(?:\$\{[^}]*\}?|[^,\]}{])*")
_BEFORE = re.compile(r".*(?:[\[{,]|:[ \t])[ \t]*|[ \t]*")


def trap(text: str, error: MarkedYAMLError) -> int | None:
    """Return the index of the `$` of an unquoted reference that the parser fell over."""
    mark = error.problem_mark
    in_brackets = error.context is not None and "flow" in error.context
    if mark is None or not in_brackets or not text.startswith("${", mark.index - 1):
        return None
    return int(mark.index) - 1


def masked(text: str, start: int) -> str:
    """Return the text with one reference replaced by as many plain characters."""
    end = _end(text, start)
    return f"{text[:start]}{'_' * (end - start)}{text[end:]}"


def problems(text: str, starts: Sequence[int]) -> Iterator[Problem]:
    """Return, for each reference, how its line is to be written."""
    for start in starts:
        end = _end(text, start)
        first = text.rfind("\n", 0, start) + 1
        last = text.find("\n", end)
        line = text[first : last if last >= 0 else len(text)]
        mended = _quoted(line, sorted(other - first for other in starts))
        yield Problem(
            "SP110",
            f"`{text[start:end]}` needs quotes inside of `{{…}}` and `[…]`",
            character(text, start, end - start),
            f"write `{mended.strip()}`",
        )


def _end(text: str, start: int) -> int:
    line = text.find("\n", start)
    brace = text.find("}", start, line if line >= 0 else len(text))
    return brace + 1 if brace >= 0 else start + 2


def _quoted(line: str, starts: list[int]) -> str:
    """Put quotes round each scalar of the line that holds one of the references."""
    mended, done = "", 0
    for start in starts:
        if not done <= start < len(line):
            continue
        before = _BEFORE.match(line, done, start)
        first = before.end() if before else start
        rest = _SCALAR.match(line, start)
        last = len(line[: rest.end() if rest else start].rstrip())
        scalar = line[first:last]
        quote = "'" if '"' in scalar or "\\" in scalar else '"'
        mended += line[done:first] + quote + scalar + quote
        done = last
    return mended + line[done:]
