from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

import pipelines.runtime

FILES = sorted(Path(pipelines.runtime.__file__).parent.rglob("*.py"))
NEWER_THAN_39 = {"tomllib", "compression", "annotationlib", "concurrent.interpreters"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_runtime_file_is_python_39_of_the_standard_library(file: Path) -> None:
    """Images carry Pythons from 3.9 on and nothing else that could be counted on."""
    tree = ast.parse(file.read_text(), feature_version=(3, 9))
    allowed = sys.stdlib_module_names - NEWER_THAN_39
    if file.stem == "start":  # the `__main__` of a bundle is outside of the package
        allowed |= {"pipelines"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= allowed
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            assert str(node.module).split(".")[0] in allowed
        elif isinstance(node, ast.Match | ast.TryStar):
            pytest.fail(f"line {node.lineno} is newer than 3.9")


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_runtime_file_evaluates_no_annotation(file: Path) -> None:
    """`X | Y` and `list[X]` stand in annotations only, and those are never evaluated."""
    tree = ast.parse(file.read_text())
    imports = [node for node in tree.body if isinstance(node, ast.ImportFrom)]
    if len(tree.body) > 1:
        assert imports[0].module == "__future__"
        assert imports[0].names[0].name == "annotations"
