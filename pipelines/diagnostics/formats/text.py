"""Diagnostics for people: the line, carets under the place, and what to write instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.diagnostics.excerpts import excerpt, visible
from pipelines.diagnostics.model import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pipelines.diagnostics.formats import Report
    from pipelines.diagnostics.model import Diagnostic, Span

_BOLD = "\x1b[1m"
_BLUE = "\x1b[1;34m"
_COLOURS = {Severity.ERROR: "\x1b[1;31m", Severity.WARNING: "\x1b[1;33m"}
_RESET = "\x1b[0m"


def render(report: Report) -> str:
    """Return each diagnostic with its excerpt, and a line that counts them."""
    if not report.diagnostics:
        return ""
    lines = {
        source: text.replace("\r\n", "\n").split("\n") for source, text in report.sources.items()
    }
    blocks = ["\n".join(_block(found, lines, report)) for found in report.diagnostics]
    return "\n\n".join([*blocks, _paint(report, _BOLD, report.summary())]) + "\n"


def _block(found: Diagnostic, lines: dict[str, list[str]], report: Report) -> Iterator[str]:
    colour = _COLOURS[found.severity]
    title = _paint(report, colour, f"{found.severity.value}[{found.code}]")
    message = _paint(report, _BOLD, visible(found.message))
    span = found.span
    if span is None:
        yield f"{title}: {message}"
        yield from _help(found, "", report)
        return
    yield f"{visible(span.source)}:{span.line}:{span.column}: {title}: {message}"
    width = len(str(span.line))
    source = lines.get(span.source, [])
    if found.excerpt is not None:
        yield from _excerpt(found.excerpt, span, report, colour)
    elif span.line <= len(source):
        yield from _excerpt(source[span.line - 1], span, report, colour)
    yield from _help(found, " " * width, report)


def _excerpt(line: str, span: Span, report: Report, colour: str) -> Iterator[str]:
    end = span.end_column if span.end_line == span.line else len(line.rstrip()) + 1
    shown, carets = excerpt(line, span.column, end)
    number = str(span.line)
    space = " " * len(number)
    bar = _paint(report, _BLUE, "|")
    under = carets.lstrip()
    yield f"{space} {bar}"
    yield f"{_paint(report, _BLUE, number)} {bar} {shown}".rstrip()
    yield f"{space} {bar} {carets[: len(carets) - len(under)]}{_paint(report, colour, under)}"


def _help(found: Diagnostic, space: str, report: Report) -> Iterator[str]:
    if not found.help:
        return
    first, *rest = visible(found.help).split("\n")
    yield f"{space} {_paint(report, _BLUE, '=')} help: {first}"
    for line in rest:
        yield f"{space}         {line}".rstrip()


def _paint(report: Report, code: str, text: str) -> str:
    return f"{code}{text}{_RESET}" if report.colour else text
