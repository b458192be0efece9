"""What is generated is current."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.generate_docs import generated
from tools.generate_expectations import TARGET, expectations


@pytest.mark.parametrize("path", sorted(generated()), ids=lambda path: path.name)
def test_generated_document_is_current(path: Path) -> None:
    """Schema, spec reference and error list say what the models and pages say now."""
    assert path.read_text(encoding="utf-8") == generated()[path], "python tools/generate_docs.py"


@pytest.mark.slow  # Great Expectations is imported here
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_table_of_expectations_is_current() -> None:
    """It says what the installed Great Expectations takes."""
    assert TARGET.read_text(encoding="utf-8") == expectations(), "make generate"
