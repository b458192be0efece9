"""Installed distributions, read from their metadata."""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

from pipelines.runtime.distributions import distributions, normal, version_of


def test_what_is_installed_here_is_what_importlib_says() -> None:
    """The same names and versions, the first of a name in use."""
    found = {one.name: one.version for one in reversed(list(distributions(sys.path)))}
    listed = reversed(list(importlib.metadata.distributions()))
    assert found == {normal(one.metadata["Name"]): one.version for one in listed}
    assert version_of("PyYAML", sys.path) == importlib.metadata.version("pyyaml")


def test_metadata_of_setuptools_is_read_and_the_rest_of_a_broken_installation_is_not(
    tmp_path: Path,
) -> None:
    """Debian installs single `.egg-info` files; a killed pip leaves folders without metadata."""
    (tmp_path / "old.egg-info").write_text("Metadata-Version: 1.1\nName: Old_One\nVersion: 1.5\n")
    (tmp_path / "older_one-2.0-py3.7.egg-info").mkdir()
    metadata = tmp_path / "older_one-2.0-py3.7.egg-info" / "PKG-INFO"
    metadata.write_text("Name: older.one\nVersion: 2.0\n\nVersion: 3 came later\n")
    (tmp_path / "gone-1.0.dist-info").mkdir()
    (tmp_path / "empty-1.0.dist-info").mkdir()
    (tmp_path / "empty-1.0.dist-info" / "METADATA").write_text("")
    found = list(distributions([str(tmp_path / "missing"), str(tmp_path)]))
    assert [(one.name, one.version) for one in found] == [("old-one", "1.5"), ("older-one", "2.0")]
    assert version_of("Older_One", [str(tmp_path)]) == "2.0"
    assert version_of("gone", [str(tmp_path)]) is None
    assert [one.files() for one in found] == [[], []]
