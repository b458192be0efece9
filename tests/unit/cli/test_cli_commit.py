"""The commit that is recorded with a version: the checkout's, or what a build says."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.cli.commit import commit_of


def test_a_build_without_a_history_says_its_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CodePipeline hands the source on as a zip; the variable is for where no checkout is."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    monkeypatch.delenv("PIPELINES_COMMIT", raising=False)
    assert commit_of(tmp_path) is None
    monkeypatch.setenv("PIPELINES_COMMIT", "3f2a")
    assert commit_of(tmp_path) == "3f2a"
