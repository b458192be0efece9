"""Diagnostics as GitHub workflow commands: annotations on the lines of a pull request.

Source: GitHub's "Workflow commands", with the escapes of `@actions/core` (`command.ts`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipelines.diagnostics.excerpts import visible

if TYPE_CHECKING:
    from pipelines.diagnostics.formats import Report
    from pipelines.diagnostics.model import Diagnostic


def render(report: Report) -> str:
    """Return one command per diagnostic."""
    return "".join(f"{_command(found)}\n" for found in report.diagnostics)


def _command(found: Diagnostic) -> str:
    properties: dict[str, str | int] = {}
    span = found.span
    if span is not None:
        properties = {"file": span.source, "line": span.line, "endLine": span.end_line}
        if span.line == span.end_line:  # GitHub refuses columns on annotations of several lines
            properties["col"] = span.column
            properties["endColumn"] = max(span.column, span.end_column - 1)
    properties["title"] = found.code
    listed = ",".join(f"{key}={_property(str(value))}" for key, value in properties.items())
    text = found.message if found.help is None else f"{found.message}\nhelp: {found.help}"
    return f"::{found.severity.value} {listed}::{_data(text)}"


def _data(text: str) -> str:
    return visible(text).replace("%", "%25").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
