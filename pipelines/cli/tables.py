"""Rows → text in aligned columns."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipelines.diagnostics.excerpts import visible


def columns(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Align columns to the left, two spaces apart, the header above them."""
    table = [tuple(header), *(tuple(visible(cell, kept="") for cell in row) for row in rows)]
    widths = [max(len(row[index]) for row in table) for index in range(len(header))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    )
    return "\n".join(lines)
