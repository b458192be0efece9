"""Findings and diagnostics: what is wrong with a user's file, and where.

A check yields `Finding`s, which carry a *path* into the document. They become
`Diagnostic`s with a line once, at the very end, through `Document.locate`.
"""

from pipelines.diagnostics.model import (
    CheckedText,
    Diagnostic,
    Finding,
    Path,
    Place,
    Severity,
    Span,
)
from pipelines.diagnostics.rendering import render_text

__all__ = [
    "CheckedText",
    "Diagnostic",
    "Finding",
    "Path",
    "Place",
    "Severity",
    "Span",
    "render_text",
]
