"""A user's project, written by each test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder of a user's project."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


def write(project: Path, **files: str) -> None:
    """Write Python files; `_of_` in a name parts it from its folder: `a_of_b` is b/a.py."""
    for name, text in files.items():
        path = project.joinpath(*reversed(name.split("_of_"))).with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
