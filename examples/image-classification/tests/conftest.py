"""Runs commands of the tool in a copy of the project."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture
def run_project(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs a command and returns what it prints."""
    copy = tmp_path / "project"
    shutil.copytree(PROJECT, copy, ignore=shutil.ignore_patterns(".pipelines", "__pycache__"))
    environment = {**os.environ, "PYTHONPATH": str(PROJECT.parents[1])}

    def run(*words: str) -> str:
        command = [sys.executable, "-m", "pipelines", *words]
        ended = subprocess.run(
            command, cwd=copy, env=environment, capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return run
