"""The three values that every check and every printer share."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal, TypeAlias

from pipelines.frozen import frozen

Path: TypeAlias = tuple[str | int, ...]
"""Keys and list indexes from the top of a document down to one value."""


class Severity(StrEnum):
    """How bad a finding is: an error ends the command with exit code 3."""

    ERROR = "error"
    WARNING = "warning"


@frozen
class Span:
    """A stretch of a text file; lines and columns count from 1, the end is exclusive."""

    source: str
    line: int
    column: int
    end_line: int
    end_column: int


@frozen
class Place:
    """A stretch of another file than the document, such as a script; `text` is its first line."""

    span: Span
    text: str


@frozen
class Finding:
    """One mistake, before it is located.

    Args:
        code: `SPnnn`; its long form is `diagnostics/codes/SPnnn.md`.
        message: the problem, in one line, names in backticks.
        path: the value (or key) that is wrong; of a missing key, the mapping that lacks it.
        at: whether the key or the value is to be underlined.
        help: what to write instead.
        severity: errors end the command, warnings do not.
        within: a part of the scalar's text, as character offsets (start, end).
        place: where it is mended, if not in the document; `path` then leads to the file's name.
        hidden: whether the value must not be shown: only its key is.
    """

    code: str
    message: str
    path: Path
    at: Literal["key", "value"] = "value"
    help: str | None = None
    severity: Severity = Severity.ERROR
    within: tuple[int, int] | None = None
    place: Place | None = None
    hidden: bool = False


@frozen
class Diagnostic:
    """One mistake with its place; `span` is None only where the file could not be read.

    `excerpt` is shown in place of the line that `span` begins on, where that is not in the document
    or must not be shown.
    """

    code: str
    message: str
    severity: Severity
    span: Span | None
    path: Path
    help: str | None = None
    excerpt: str | None = None


@frozen
class CheckedText:
    """A file's text, and what is wrong with it."""

    text: str
    diagnostics: tuple[Diagnostic, ...]

    @property
    def failed(self) -> bool:
        """Whether an error is among the diagnostics."""
        return any(d.severity is Severity.ERROR for d in self.diagnostics)
