"""What is bundled into jobs runs on the Pythons of the images, 3.7 the oldest."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import pipelines
from tests import older_pythons

PACKAGE = Path(pipelines.__file__).parent
FILES = sorted((PACKAGE / "runtime").rglob("*.py"))
NEWER_THAN_37 = {
    "annotationlib", "compression", "graphlib", "importlib.metadata", "tomllib", "zoneinfo",
}  # fmt: skip
IMPORT_ALL = """
import importlib, pkgutil, sys
import pipelines.programs.package as package, pipelines.runtime as runtime
for found in (runtime, package):
    for module in pkgutil.iter_modules(found.__path__, found.__name__ + "."):
        if not module.name.endswith(".start"):
            importlib.import_module(module.name)
"""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_runtime_file_imports_nothing_but_the_standard_library(file: Path) -> None:
    """An image has nothing else that could be counted on."""
    allowed = sys.stdlib_module_names - NEWER_THAN_37
    if file.stem == "start":  # the `__main__` of a bundle is outside of the package
        allowed |= {"pipelines"}
    if file.stem == "parameter_server":  # started where the script's own TensorFlow is
        allowed |= {"tensorflow"}
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
            assert not {alias.name for alias in node.names} & NEWER_THAN_37
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert str(node.module).split(".")[0] in allowed
            assert node.module not in NEWER_THAN_37


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_runtime_file_evaluates_no_annotation(file: Path) -> None:
    """`X | Y` and `list[X]` stand in annotations only, and those are never evaluated."""
    tree = ast.parse(file.read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    if imports and file.stem != "start":  # which has none, and has to start on any
        assert imports[0].module == "__future__"
        assert imports[0].names[0].name == "annotations"


@pytest.mark.parametrize("version", older_pythons.VERSIONS)
def test_everything_is_imported_by_an_older_python(version: str) -> None:
    """Also what no job of these tests reaches, such as MPI on several hosts."""
    command = [older_pythons.interpreter(version), "-W", "error", "-B", "-c", IMPORT_ALL]
    ended = subprocess.run(
        command, cwd=PACKAGE.parent, capture_output=True, text=True, check=False, env={}
    )
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("version", ["2.7", "3.6"])
def test_a_python_that_is_too_old_is_named(version: str) -> None:
    """The log says why, where the image is not one that the compiler knows."""
    command = [older_pythons.interpreter(version), str(PACKAGE / "runtime" / "start.py")]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={})
    assert ended.returncode == 1
    assert ended.stderr == f"pipelines: jobs need Python 3.7 or newer; this is {version}\n"
