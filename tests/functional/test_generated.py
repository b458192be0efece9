"""What is generated is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.generate_docs import generated


@pytest.mark.parametrize("path", sorted(generated()), ids=lambda path: path.name)
def test_generated_document_is_current(path: Path) -> None:
    """Schema, spec reference and error list say what the models and pages say now."""
    assert path.read_text(encoding="utf-8") == generated()[path], "python tools/generate_docs.py"
