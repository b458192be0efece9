"""Where PyYAML gave up, and the text around it: what the rules of `document/syntax.py` look at."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pipelines.document.extents import character
from pipelines.document.problem import Problem
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from yaml import MarkedYAMLError

    from pipelines.document.extents import Extent
    from pipelines.document.nodes import ScalarNode
    from pipelines.document.problem import Before


@frozen
class ParseFailure:
    """Where the parser stopped and what it said.

    Args:
        text: the whole text.
        at: index at which it stopped.
        since: index at which what it was reading began, or `at`.
        says: its words, problem and context.
        before: what it read before.
    """

    text: str
    at: int
    since: int
    says: str
    before: Before

    @property
    def last(self) -> ScalarNode | None:
        """Return the scalar that was read last."""
        return self.before.last

    def line(self, index: int) -> str:
        """Return the line that holds an index."""
        first = self.text.rfind("\n", 0, index) + 1
        last = self.text.find("\n", index)
        return self.text[first : last if last >= 0 else len(self.text)]

    def number(self, index: int) -> int:
        """Return the number of the line that holds an index, counted from 1."""
        return self.text.count("\n", 0, index) + 1

    def column(self, index: int) -> int:
        """Return the column of an index in its line, counted from 0."""
        return index - (self.text.rfind("\n", 0, index) + 1)

    def problem(self, message: str, index: int, remedy: str, length: int = 1) -> Problem:
        """Return a syntax error at an index."""
        return Problem("SP101", message, character(self.text, index, length), remedy)

    def rest(self, start: int) -> str:
        """Return the value that begins at an index, to the end of its line or its comment."""
        line = self.line(start)[self.column(start) :]
        return re.split(r"\s#", line, maxsplit=1)[0].rstrip()

    def indent(self) -> int:
        """Return the number of spaces that the line begins with at which the parser stopped."""
        line = self.line(self.at)
        return len(line) - len(line.lstrip(" "))

    def index(self, extent: Extent) -> int:
        """Return the index at which an extent begins."""
        lines = self.text.split("\n")[: extent.line - 1]
        return sum(len(line) + 1 for line in lines) + extent.column - 1


def parse_failure(error: MarkedYAMLError, text: str, before: Before) -> ParseFailure:
    """Return where the parser stopped.

    Args:
        error: PyYAML's.
        text: the text it read.
        before: what it made of the text up to there.
    """
    at = error.problem_mark.index if error.problem_mark else len(text)
    since = error.context_mark.index if error.context_mark else at
    says = f"{error.problem or ''} / {error.context or ''}"
    return ParseFailure(text, min(at, len(text)), min(since, len(text)), says, before)


def in_quotes(value: str) -> str:
    """Write a value in the quotes that it needs fewest escapes in."""
    if '"' in value or "\\" in value:
        return "'" + value.replace("'", "''") + "'"
    return f'"{value}"'
