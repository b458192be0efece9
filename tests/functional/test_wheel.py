"""The wheel that users install, built as a release would be."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TINY = """\
spec: 1
pipeline: tiny
defaults: {image: sklearn-1.9-cpu}
steps:
  hello:
    kind: processing
    script: hello.py
    outputs: [greeting]
"""
HELLO = """\
import os, pathlib
pathlib.Path(os.environ["SM_OUT_GREETING"], "hello.txt").write_text("hello")
"""


@pytest.fixture(scope="module")
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


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Users get `pipelines/` with its tables and texts, not our steps, tests and tools."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pipelines"}
    for needed in (
        "pipelines/steptypes/shapes/Processing.json",
        "pipelines/compile/image_tables/sklearn.json",
        "pipelines/diagnostics/codes/SP102.md",
        "pipelines/runtime/main.py",
        "pipelines/programs/validate/main.py",
    ):
        assert needed in names


def test_wheel_runs_a_pipeline_outside_this_repository(wheel: Path, tmp_path: Path) -> None:
    """Installed from the wheel, `run` works in a folder that knows nothing of this checkout."""
    site, project = tmp_path / "site", tmp_path / "project"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    project.mkdir()
    (project / "pipeline.yaml").write_text(TINY)
    (project / "hello.py").write_text(HELLO)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    ran = subprocess.run(
        [sys.executable, "-m", "pipelines", "run"],
        cwd=project, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "hello: Succeeded" in ran.stdout
    written = list((project / ".pipelines" / "s3").rglob("hello.txt"))
    assert [path.read_text() for path in written] == ["hello"]
