"""Jobs for the tests of the runtime: real bundles, started as real processes."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.testing.jobs import Jobs


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder that a test writes its scripts to."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def jobs(tmp_path: Path, project: Path) -> Jobs:
    """Jobs of that project."""
    return Jobs(tmp_path / "jobs", project)
