"""The wheel that users install, built once; service models, parsed once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service_models import parsed_once

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session", autouse=True)
def _service_models_are_parsed_once() -> Iterator[None]:
    with parsed_once():
        yield


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel in a folder of its own, from a copy, so that nothing stays in the tree."""
    source = tmp_path_factory.mktemp("source")
    tracked = subprocess.run(
        ["git", "ls-files", "pipelines", "pyproject.toml", "README.md", "LICENSE"],  # noqa: S607 - git by its name
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in tracked:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    folder = tmp_path_factory.mktemp("wheel")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(folder), "."],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if built.returncode and "No matching distribution" in built.stderr:
        pytest.skip("the build backend cannot be installed: no package index")
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))
