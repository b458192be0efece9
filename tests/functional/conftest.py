"""The wheel that users install, built once; service models, parsed once; the tool, read once."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from pipelines.infra.wheel import tool_wheel
from tests.service_models import parsed_once

ROOT = Path(__file__).parents[2]
LEFTOVER = "pipelines/cli/commands/gone.py"


@pytest.fixture(scope="session", autouse=True)
def _service_models_are_parsed_once() -> Iterator[None]:
    with parsed_once():
        yield


@pytest.fixture(scope="session", autouse=True)
def _the_tool_is_read_once() -> Iterator[None]:
    """Each command of `ci` reads and digests the whole tool, as a process of its own would."""
    once = cache(tool_wheel)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("pipelines.cli.generating.tool_wheel", once)
        patch.setattr("pipelines.cli.commands.ci.workstation.tool_wheel", once)
        yield


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """Build the wheel once, whichever worker is the first to need it."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "wheel"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built = next(shared.glob("*.whl"), None)
        return built or _build_wheel(tmp_path_factory.mktemp("source"), shared)


def _build_wheel(source: Path, folder: Path) -> Path:
    """Build it from a copy, so that nothing stays in the tree, where an older version was built."""
    tracked = subprocess.run(
        ["git", "ls-files", "pipelines", "pyproject.toml", "setup.py", "README.md", "LICENSE"],  # noqa: S607 - git by its name
        cwd=ROOT, capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in tracked:
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())
    leftover = source / "build" / "lib" / LEFTOVER
    leftover.parent.mkdir(parents=True)
    leftover.write_text("A module that an older version had.")
    built = subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--no-deps", "--quiet", "-w", str(folder), "."],
        cwd=source, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if built.returncode and "No matching distribution" in built.stderr:
        pytest.skip("the build backend cannot be installed: no package index")
    assert built.returncode == 0, built.stderr
    return next(folder.glob("*.whl"))
