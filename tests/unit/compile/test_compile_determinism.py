"""Compile gives the same bytes wherever and whenever it runs; an edit changes what it touches."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.compile.driver import compile_spec
from pipelines.compile.model import Compiled, CompileRequest

ROOT = Path(__file__).parents[3]
CASES = ROOT / "tests" / "golden" / "cases"

_URIS = re.compile(r"s3://[^\"]*/code/([^/]+)/([0-9a-f]{32})/bundle\.pyz")


def _compile(project: Path, output: Path, umask: int, **environ: str) -> dict[str, bytes]:
    """Compile in a process of its own; return every file that it wrote."""
    inherited = {k: v for k, v in os.environ.items() if k in {"PATH", "SYSTEMROOT"}}
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pipelines",
            "compile",
            "-f",
            project / "pipeline.yaml",
            "-o",
            output,
        ],
        env={**inherited, "PYTHONPATH": str(ROOT), **environ},
        umask=umask,
        check=True,
        capture_output=True,
        cwd=project.parent,
    )
    return {
        path.relative_to(output).as_posix(): path.read_bytes()
        for path in sorted(output.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("case", ["registration_full", "validation_gate", "names"])
def test_compile_is_the_same_in_another_place_time_and_language(case: str, tmp_path: Path) -> None:
    """Folder, time zone, hash seed, file times, umask, permission bits, locale: no trace."""
    here, there = tmp_path / "here", tmp_path / "a longer name" / "there"
    shutil.copytree(CASES / case, here)
    shutil.copytree(CASES / case, there)
    (there / "__pycache__").mkdir()
    (there / "__pycache__" / "left.pyc").write_bytes(b"left over")
    for path in there.rglob("*"):
        os.utime(path, (0, 0))
        if path.is_file():
            path.chmod(0o646)
    first = _compile(here, tmp_path / "one", 0o022, TZ="UTC", PYTHONHASHSEED="1", LC_ALL="C")
    second = _compile(
        there, tmp_path / "two", 0o077, TZ="Asia/Tokyo", PYTHONHASHSEED="2", LC_ALL="C.UTF-8"
    )
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


def _compiled(project: Path) -> Compiled:
    result = compile_spec(CompileRequest(project / "pipeline.yaml", None, {}))
    assert result.compiled is not None
    return result.compiled


def _uris(compiled: Compiled) -> dict[str, str]:
    return dict(_URIS.findall(compiled.definition))


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a copy of a project with four steps that have code."""
    return Path(shutil.copytree(CASES / "registration_full", tmp_path / "project"))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=20))
def test_editing_one_script_changes_the_uri_of_its_step_alone(project: Path, text: bytes) -> None:
    """Every other step keeps its URI, and with it its place in the cache."""
    before = _uris(_compiled(project))
    script = project / "steps" / "evaluate.py"
    script.write_bytes(script.read_bytes() + b"\n# " + text.hex().encode())
    after = _uris(_compiled(project))
    assert {step for step in before if before[step] != after[step]} == {"evaluate"}


def test_editing_the_serving_code_repackages_and_trains_nothing(project: Path) -> None:
    """The registration's bundle changes; the training step's does not (decision 3)."""
    before = _uris(_compiled(project))
    code = "def model_fn(folder):\n    return 42\n"
    (project / "serving" / "answer.py").write_text(code, "utf-8")
    after = _uris(_compiled(project))
    assert {step for step in before if before[step] != after[step]} == {"register"}


def test_the_owners_executable_bit_is_part_of_a_bundle_and_no_other_bit_is(project: Path) -> None:
    """What a job can see of a mode counts: whether a file can be run."""
    script = project / "steps" / "tell.py"
    script.chmod(0o644)
    plain = _uris(_compiled(project))["tell"]
    script.chmod(0o600)
    assert _uris(_compiled(project))["tell"] == plain
    script.chmod(0o744)
    assert _uris(_compiled(project))["tell"] != plain


def test_definition_names_each_bundle_by_the_hash_of_what_is_in_it(project: Path) -> None:
    """The URI of an asset is in the definition, and two bundles of the same bytes are equal."""
    compiled = _compiled(project)
    for asset in compiled.code:
        assert asset.uri in compiled.definition
        assert asset.digest[:32] in asset.uri
    assert [a.archive() for a in compiled.code] == [a.archive() for a in _compiled(project).code]
