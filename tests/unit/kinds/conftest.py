"""A kind that is added by nothing but its module."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines import kinds

ADDED = Path(__file__).parent / "added"


@pytest.fixture
def added_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the package of the kinds reach over the folder of the added one, `sampling`."""
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(ADDED)])
