"""The commit that a project is at, for the registry."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from pipelines.spec.commit import COMMIT

VARIABLE = "PIPELINES_COMMIT"
_SECONDS = 10
_DIRTY = "-dirty"


def recorded(definition: str, folder: Path) -> dict[str, str]:
    """Return the parameter that takes the commit into the registry, where a definition has it."""
    commit = commit_of(folder) if f'"{COMMIT}"' in definition else None
    return {} if commit is None else {COMMIT: commit}


def commit_of(folder: Path) -> str | None:
    """Return the commit of a checkout, `…-dirty` where the folder differs from it.

    Where it is no checkout, has no commit yet, or there is no git: what `PIPELINES_COMMIT` says, as
    in a build that gets its source without a history; else None.
    """
    return _of_checkout(folder) or os.environ.get(VARIABLE) or None


def _of_checkout(folder: Path) -> str | None:
    command = ["git", "status", "--porcelain=v2", "--branch", "--", ".", ":(exclude).pipelines"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    lines = done.stdout.splitlines()
    head = next((line for line in lines if line.startswith("# branch.oid ")), "")
    commit = head.rpartition(" ")[2]
    if done.returncode != 0 or not commit or commit == "(initial)":
        return None
    is_dirty = any(not line.startswith("#") for line in lines)
    return commit + _DIRTY if is_dirty else commit
