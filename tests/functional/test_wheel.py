"""The wheel that users install, built as a release would be."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipelines.infra.wheel import digest_of, files_of, tool_wheel
from tests.functional.conftest import LEFTOVER

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
        "pipelines/templates/editors/vscode/tasks.json",
    ):
        assert needed in names


def test_wheel_has_nothing_of_what_an_older_version_left_in_the_checkout(wheel: Path) -> None:
    """Commands and checks are found by their files: one that is gone must not come back."""
    with zipfile.ZipFile(wheel) as archive:
        assert LEFTOVER not in archive.namelist()


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


def test_wheel_that_ci_apply_uploads_is_that_of_a_release(wheel: Path) -> None:
    """Made of the files that run: the same files with the same bytes, the same commands."""
    made = tool_wheel()
    assert made.name == wheel.name
    with zipfile.ZipFile(io.BytesIO(made.content())) as ours, zipfile.ZipFile(wheel) as released:
        kept = {name for name in released.namelist() if not name.endswith("/top_level.txt")}
        assert set(ours.namelist()) == kept
        for name in kept:
            if name.startswith("pipelines/") or name.endswith(("entry_points.txt", "LICENSE")):
                assert ours.read(name) == released.read(name), name


def test_wheel_that_ci_apply_uploads_has_always_the_same_bytes(tmp_path: Path) -> None:
    """It is known by the digest of what it holds; pip installs it."""
    made = tool_wheel()
    content = made.content()
    assert tool_wheel().content() == content
    assert digest_of(content) == made.digest
    file = tmp_path / made.name
    file.write_bytes(content)
    installed = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet",
         "--target", str(tmp_path / "site"), str(file)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert installed.returncode == 0, installed.stderr
    assert (tmp_path / "site" / "pipelines" / "__main__.py").is_file()


def test_what_is_no_whole_wheel_has_no_digest() -> None:
    """An object that was cut off or overwritten is not taken for the tool."""
    content = tool_wheel().content()
    middle = len(content) // 2
    broken = content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]
    assert [digest_of(one) for one in (b"another", content[:-9], broken)] == [None] * 3


@pytest.mark.parametrize("name", ["pipelines/__main__.py", "pipelines/more.py"])
def test_a_wheel_with_another_file_than_it_lists_has_no_digest(name: str) -> None:
    """Pip installs what is there, whatever RECORD says."""
    changed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(tool_wheel().content())) as made:
        files = {one: made.read(one) for one in made.namelist()}
    with zipfile.ZipFile(changed, "w") as archive:
        for one, body in {**files, name: b"print('another')"}.items():
            archive.writestr(one, body)
    assert digest_of(changed.getvalue()) is None


def test_what_an_editor_leaves_in_the_checkout_is_no_part_of_the_wheel(tmp_path: Path) -> None:
    """Colleagues with the same commit have the same wheel."""
    root = tmp_path / "pipelines"
    left = (".a.py.swp", "a.py~", "a.py.orig", "b/.DS_Store", ".cache/a.py", "__pycache__/a.pyc")
    for name in ("a.py", "b/c.json", *left):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    assert [name for name, _ in files_of(root)] == ["pipelines/a.py", "pipelines/b/c.json"]
