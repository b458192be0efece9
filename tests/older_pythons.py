"""Older Pythons of this machine: what runs in images is tested with the interpreters they have."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

VERSIONS = ("3.7", "3.8", "3.9")
_SHOW = "import sys; print('%d.%d' % sys.version_info[:2]); print(sys.executable)"


def interpreter(version: str) -> str:
    """Return the interpreter of a version, from PATH or from pyenv; skips the test without one."""
    found = _find(version)
    if found is None:
        pytest.skip(f"there is no Python {version} on this machine")
    return found


@cache
def _find(version: str) -> str | None:
    for candidate in _candidates(version):
        ended = subprocess.run(
            [candidate, "-c", _SHOW], capture_output=True, text=True, check=False
        )
        is_version, _, path = ended.stdout.partition("\n")
        if is_version == version:
            return path.strip()
    return None


def _candidates(version: str) -> Iterator[str]:
    on_path = shutil.which(f"python{version}")
    if on_path is not None:
        yield on_path
    pyenv = shutil.which("pyenv")
    if pyenv is not None:
        root = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=False).stdout
        folders = Path(root.strip(), "versions").glob(f"{version}.*")
        yield from (str(folder / "bin" / "python") for folder in sorted(folders))
