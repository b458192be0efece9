"""The wheel that users install, built as a release would be."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

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


def test_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    """Users get `pipelines/` with its tables and texts, not our steps, tests and tools."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"pipelines"}
    for needed in (
        "pipelines/steptypes/shapes/Processing.json",
        "pipelines/images/package_lists/sklearn.json",
        "pipelines/images/tables/sklearn.json",
        "pipelines/diagnostics/codes/SP102.md",
        "pipelines/runtime/start.py",
        "pipelines/programs/validate/main.py",
        "pipelines/spec/pipeline.schema.json",
        "pipelines/templates/full/steps/features.py",
        "pipelines/templates/minimal/gitignore",
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
