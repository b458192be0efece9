"""YAML or JSON text → `Document(data, spans)`: YAML 1.2 core, duplicate keys, limits.

The first stage of the flow; everything after it speaks of values by path, and `locate`
turns a path back into a line at the very end.
"""

from pipelines.document.model import Document, DocumentLimits, Parsed, TextPosition
from pipelines.document.overlay import MergeRules, choose, overlay
from pipelines.document.parser import parse
from pipelines.document.reading import read

__all__ = [
    "Document",
    "DocumentLimits",
    "MergeRules",
    "Parsed",
    "TextPosition",
    "choose",
    "overlay",
    "parse",
    "read",
]
