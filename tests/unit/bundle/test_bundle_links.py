"""Links in a project: one rule for data, code, `include:` and serving code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipelines.compile.driver import compile_spec, validate
from pipelines.compile.model import CompileRequest, CompileResult
from pipelines.compile.output import write

SPEC = """
spec: 1
pipeline: p
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
defaults: {image: sklearn-1.9-cpu}
data: {raw: raw/}
steps:
  work:
    kind: processing
    script: steps/work.py
    include: [conf]
    inputs:
      raw: ${data.raw}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Make a project with one file in each place, and a folder beside it."""
    files = {
        "project/pipeline.yaml": SPEC,
        "project/steps/work.py": "",
        "project/conf/a.json": "{}",
        "project/real/b.csv": "1",
        "project/raw/a.csv": "1",
        "elsewhere/c.csv": "2",
        "elsewhere/d.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "project"


def _compiled(project: Path) -> CompileResult:
    return compile_spec(CompileRequest(project / "pipeline.yaml", None, {}))


def _codes(project: Path) -> list[tuple[str, str]]:
    """Return code and severity of every finding; `validate` finds the same."""
    request = CompileRequest(project / "pipeline.yaml", None, {})
    found = compile_spec(request).checked.diagnostics
    assert validate(request).diagnostics == found
    return [(one.code, one.severity.value) for one in found]


def _data(project: Path) -> list[str]:
    result = _compiled(project)
    assert result.compiled is not None, result.checked.diagnostics
    return [name for name, _ in result.compiled.data[0].files]


def _code(project: Path) -> list[str]:
    result = _compiled(project)
    assert result.compiled is not None, result.checked.diagnostics
    return [m.path for m in result.compiled.code[0].members if m.path.startswith("code/")]


def test_a_link_inside_the_project_is_followed(project: Path) -> None:
    """Below `data:` and in `include:`: what it leads to is there under the link's name."""
    (project / "raw" / "2024").symlink_to("../real")
    (project / "conf" / "more").symlink_to("../real")
    assert _data(project) == ["2024/b.csv", "a.csv"]
    assert "code/conf/more/b.csv" in _code(project)


def test_data_may_be_linked_from_elsewhere_and_is_written(project: Path, tmp_path: Path) -> None:
    """A folder and a file, and `data:` itself: `compile -o` names them below the project."""
    (project / "raw" / "shared").symlink_to("../../elsewhere")
    (project / "raw" / "one.csv").symlink_to("../../elsewhere/c.csv")
    assert _data(project) == ["a.csv", "one.csv", "shared/c.csv", "shared/d.py"]
    result = _compiled(project)
    assert result.compiled is not None
    for _ in write(result.compiled, tmp_path / "build", project):
        pass
    assets = json.loads((tmp_path / "build" / "p.assets.json").read_text())
    assert assets["data"][0]["files"]["one.csv"] == "raw/one.csv"
    (project / "raw").rename(project / "old")
    (project / "raw").symlink_to("../elsewhere")
    assert _data(project) == ["c.csv", "d.py"]


def test_the_content_behind_a_link_counts(project: Path) -> None:
    """A change of it is a change of the data."""
    (project / "raw" / "2024").symlink_to("../real")
    before = _compiled(project).compiled
    (project / "real" / "b.csv").write_text("2")
    after = _compiled(project).compiled
    assert before is not None
    assert after is not None
    assert before.data[0].digest != after.data[0].digest


@pytest.mark.parametrize("place", ["conf/out.csv", "steps/helper.py"])
def test_code_is_not_linked_from_elsewhere(project: Path, place: str) -> None:
    """Included or imported: a bundle has to be the same for everybody."""
    (project / place).symlink_to("../../elsewhere/d.py")
    (project / "steps" / "work.py").write_text("import helper")
    assert _codes(project) == [("SP302", "error")]


@pytest.mark.parametrize("folder", ["raw", "conf"])
@pytest.mark.parametrize("target", [".", "..", "../raw"])
def test_a_circle_of_links_is_an_error(project: Path, folder: str, target: str) -> None:
    """Following it would never end."""
    (project / folder / "again").symlink_to(target)
    if (folder, target) == ("conf", "../raw"):
        (project / "raw" / "back").symlink_to("../conf")
        (project / "raw").joinpath("a.csv").unlink()
    assert ("SP307", "error") in _codes(project)


@pytest.mark.parametrize("folder", ["raw", "conf"])
def test_a_link_to_nothing_is_left_out_with_a_warning(project: Path, folder: str) -> None:
    """A hidden one is an editor's lock, of which nothing is said."""
    (project / folder / "gone").symlink_to("nowhere")
    (project / folder / ".#a").symlink_to("nobody@nowhere.1")
    assert _codes(project) == [("SP307", "warning")]


@pytest.mark.parametrize("folder", ["raw", "conf"])
def test_a_name_that_is_not_utf8_is_found(project: Path, folder: str) -> None:
    """It cannot be a key in S3."""
    (project / folder / os.fsdecode(b"caf\xe9.csv")).write_text("1")
    assert _codes(project) == [("SP308", "error")]
