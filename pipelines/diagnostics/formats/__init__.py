"""Diagnostics → the form somebody reads: one module per format, found by its name.

A format module has one function, `render(report)`, which returns the text to print.
"""

from __future__ import annotations

from importlib import import_module, resources
from typing import TYPE_CHECKING, Protocol, cast

from pipelines.diagnostics.model import Diagnostic, Severity
from pipelines.diagnostics.sentences import counted, suggestion
from pipelines.errors import UsageError
from pipelines.frozen import frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence


@frozen
class Report:
    """What a format prints.

    Args:
        diagnostics: in the order of `in_order`.
        sources: the text of each file that a diagnostic names.
        colour: whether ANSI colours are wanted; only `text` has any.
    """

    diagnostics: Sequence[Diagnostic]
    sources: Mapping[str, str]
    colour: bool = False

    def count(self, severity: Severity) -> int:
        """Return how many diagnostics are of this severity."""
        return sum(found.severity is severity for found in self.diagnostics)

    def summary(self) -> str:
        """Say how many errors and warnings there are; "" when there are none."""
        numbers = {severity: self.count(severity) for severity in Severity}
        return ", ".join(
            counted(number, severity.value) for severity, number in numbers.items() if number
        )


class Format(Protocol):
    """A module of this package."""

    def render(self, report: Report) -> str:
        """Return the text to print, with a line break at its end unless it is empty."""


def names() -> list[str]:
    """List the formats there are."""
    files = (file.name for file in resources.files(__package__ or "").iterdir())
    return sorted(
        file.removesuffix(".py")
        for file in files
        if file.endswith(".py") and not file.startswith("_")
    )


def render(name: str, report: Report) -> str:
    """Return the report in the format of this name.

    Raises:
        UsageError: there is no such format.
    """
    known = names()
    if name not in known:
        raise UsageError(f"there is no format `{name}`", suggestion(name, known))
    module = cast("Format", import_module(f"{__package__}.{name}"))
    return module.render(report)


def in_order(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """Sort diagnostics by file and place; those without a place come first."""
    return sorted(diagnostics, key=_place)


def _place(found: Diagnostic) -> tuple[str, int, int, str, str]:
    span = found.span
    if span is None:
        return "", 0, 0, found.code, found.message
    return span.source, span.line, span.column, found.code, found.message
