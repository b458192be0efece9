"""Fixtures of the programs' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.programs.validation_job import Project


@pytest.fixture
def validation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """Return an empty project whose root is the working directory."""
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)
