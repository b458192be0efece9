"""What the end-to-end tests share: a project, in each way of isolation where that matters."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.backends.local.jobs.isolation import probe
from tests.local.e2e.tiny_project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return the example in a folder of its own; its jobs rewrite paths, as everywhere can."""
    return Project(tmp_path / "project", {"PIPELINES_ISOLATION": "rewrite"}).make()


@pytest.fixture(params=["namespaces", "rewrite"])
def either(tmp_path: Path, request: pytest.FixtureRequest) -> Project:
    """Return the example once in each way of isolation."""
    if request.param == "namespaces" and probe().which != "namespaces":
        pytest.skip(probe().why)
    return Project(tmp_path / "project", {"PIPELINES_ISOLATION": request.param}).make()
