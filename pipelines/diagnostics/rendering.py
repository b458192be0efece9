"""Diagnostics and the texts they are about → what a command prints."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from pipelines.diagnostics.model import Diagnostic


def render_text(
    diagnostics: Iterable[Diagnostic], sources: Mapping[str, str], *, colour: bool
) -> str:
    """Return diagnostics for people, sorted by place; "" when there are none.

    Args:
        diagnostics: what to show.
        sources: the text of each file that a diagnostic names.
        colour: whether to write ANSI colours.
    """
    return render("text", diagnostics, sources, colour=colour)


def render(
    name: str,
    diagnostics: Iterable[Diagnostic],
    sources: Mapping[str, str],
    *,
    colour: bool = False,
) -> str:
    """Return diagnostics in the format of this name, sorted by place.

    Raises:
        UsageError: there is no such format.
    """
    from pipelines.diagnostics import formats  # noqa: PLC0415 - most runs have nothing to print

    report = formats.Report(formats.in_order(diagnostics), sources, colour)
    return formats.render(name, report)
