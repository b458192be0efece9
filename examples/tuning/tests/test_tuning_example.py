"""The project as its README has it: a run, the trials."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

PROJECT = Path(__file__).parents[1]


def run(folder: Path, *words: str) -> str:
    """Run Python in the project; return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(PROJECT.parents[1])}
    ended = subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def test_the_best_of_the_trials_is_judged(tmp_path: Path) -> None:
    """Valid without a warning; four trials run, and the best of them is what is evaluated."""
    folder = tmp_path / "project"
    ignored = shutil.ignore_patterns(".pipelines", "__pycache__")
    shutil.copytree(PROJECT, folder, ignore=ignored)
    assert run(folder, "-m", "pipelines", "validate").splitlines()[-1].endswith("ok (5 steps)")
    run(folder, "-m", "pipelines", "run", "-p", "jobs=4")
    shown = json.loads(run(folder, "-m", "pipelines", "outputs", "--local", "--format", "json"))
    trials = shown["trials"]["tune"]
    assert [one["status"] for one in trials] == ["Completed"] * 4
    assert max(one["accuracy"] for one in trials) == shown["metrics"]["tune.best.metrics.accuracy"]
    assert shown["metrics"]["evaluate.report.accuracy"] >= 0.6
