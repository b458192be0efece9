"""A repository with one spec, as the tests of `ci` have it."""

from __future__ import annotations

import subprocess
from pathlib import Path

SPEC = """\
spec: 1
pipeline: churn
aws:
  region: eu-central-1
  role: arn:aws:iam::111122223333:role/churn
  bucket: churn-ml
steps:
  train:
    kind: training
    image: pytorch-2.13-cpu
    instance_type: ml.m5.large
    script: steps/train.py
"""


def git(folder: Path, *words: str) -> None:
    """Run a command of git in a folder."""
    command = ("git", *words)
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


def repository(folder: Path) -> Path:
    """Make a folder a repository with a spec and its script."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    git(folder, "remote", "add", "origin", "git@gitlab.com:acme/churn.git")
    (folder / "steps").mkdir()
    (folder / "steps" / "train.py").write_text('"""Train."""\n')
    (folder / "pipeline.yaml").write_text(SPEC)
    (folder / "README.md").write_text("# Churn\n")
    return folder
