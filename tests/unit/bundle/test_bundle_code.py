"""Bundles: which files of the project go along, what job.json says, what cannot be bundled."""

from __future__ import annotations

import contextlib
import io
import json
import os
import socket
import zipfile
from pathlib import Path

import pytest

from pipelines.bundle.assets import CodeAsset
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CheckedSpec, CompileRequest
from pipelines.compile.output import write
from pipelines.diagnostics import Span
from pipelines.json_types import JsonObject

HEAD = """
spec: 1
pipeline: p
aws: {role: "arn:aws:iam::111122223333:role/jobs", bucket: team-bucket}
defaults: {image: sklearn-1.9-cpu}
steps:
  work:
    kind: processing
    script: steps/work.py
"""


def _project(folder: Path, files: dict[str, str], more: str = "") -> Path:
    for name, text in {"pipeline.yaml": HEAD + more, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return folder


def _asset(project: Path) -> CodeAsset:
    result = compile_spec(CompileRequest(project / "pipeline.yaml", None, {}))
    assert result.compiled is not None, result.checked.diagnostics
    return result.compiled.code[0]


def _code(asset: CodeAsset) -> list[str]:
    return [m.path.removeprefix("code/") for m in asset.members if m.path.startswith("code/")]


def _job(asset: CodeAsset) -> JsonObject:
    with zipfile.ZipFile(io.BytesIO(asset.archive())) as archive:
        job: JsonObject = json.loads(archive.read("job.json"))
    return job


def _checked(project: Path) -> CheckedSpec:
    return compile_spec(CompileRequest(project / "pipeline.yaml", None, {})).checked


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("import near", ["steps/near.py"]),
        ("import shared", ["shared/__init__.py"]),
        ("import shared.tool", ["shared/__init__.py", "shared/tool.py"]),
        ("from shared import tool", ["shared/__init__.py", "shared/tool.py"]),
        ("from shared import deep", ["shared/__init__.py", "shared/deep/__init__.py"]),
        ("from shared.tool import run", ["shared/__init__.py", "shared/tool.py"]),
        ("def f():\n    import near", ["steps/near.py"]),
        ("try:\n    import near\nexcept ImportError:\n    import far", ["far.py", "steps/near.py"]),
        ("if True:\n    pass\nelse:\n    import far", ["far.py"]),
        ("match 1:\n    case 1:\n        import far", ["far.py"]),
        ("import chain", ["chain.py", "far.py", "steps/near.py"]),
        ("import os, json, numpy, pandas.io", []),
        ("import work", []),
        ("text = 'import near'", []),
    ],
)
def test_a_bundle_holds_the_modules_that_the_script_imports(
    script: str, expected: list[str], tmp_path: Path
) -> None:
    """Imports are traced through the project; foreign packages and other files stay out."""
    files = {
        "steps/work.py": script,
        "steps/near.py": "",
        "steps/unused.py": "",
        "far.py": "",
        "chain.py": "import near\nimport far\nimport chain",
        "shared/__init__.py": "",
        "shared/tool.py": "from . import tool",
        "shared/deep/__init__.py": "",
    }
    found = _code(_asset(_project(tmp_path, files)))
    assert found == sorted([*expected, "steps/work.py"])


def test_relative_imports_are_followed(tmp_path: Path) -> None:
    """`from . import` and `from ..` lead through the packages of the project."""
    files = {
        "steps/work.py": "import pack.inner.one",
        "pack/__init__.py": "",
        "pack/inner/__init__.py": "",
        "pack/inner/one.py": "from . import two\nfrom ..top import x\nfrom .three import y",
        "pack/inner/two.py": "",
        "pack/inner/three.py": "",
        "pack/top.py": "",
        "pack/other.py": "",
    }
    found = _code(_asset(_project(tmp_path, files)))
    assert "pack/other.py" not in found
    assert {"pack/inner/two.py", "pack/inner/three.py", "pack/top.py"} <= set(found)


def test_a_package_below_src_is_bundled(tmp_path: Path) -> None:
    """The layout that `pip install -e .` is used with: a change of a module changes the bundle."""
    files = {
        "src/my_package/__init__.py": "",
        "src/my_package/train.py": "from my_package.data import VALUE",
        "src/my_package/data.py": "VALUE = 1",
    }
    project = _project(tmp_path, files)
    spec = (project / "pipeline.yaml").read_text().replace("steps/work", "src/my_package/train")
    (project / "pipeline.yaml").write_text(spec)
    before = _asset(project)
    assert set(_code(before)) == set(files)
    (project / "src/my_package/data.py").write_text("VALUE = 2")
    assert _asset(project).digest != before.digest


def test_a_relative_import_that_leads_out_of_the_project_brings_nothing(tmp_path: Path) -> None:
    """Python refuses it where it is executed, which a `try` allows for."""
    work = "try:\n    from .... import far\n    from ..... import farther\nexcept ImportError: pass"
    files = {"steps/work.py": work, "far.py": ""}
    assert _code(_asset(_project(tmp_path, files))) == ["steps/work.py"]


def test_what_holds_no_bytes_is_left_out_of_folders(tmp_path: Path) -> None:
    """A pipe would be read for ever: it is left out with a warning, an editor's lock without."""
    files = {"steps/work.py": "", "extra/a.txt": "", "data/a.csv": "1"}
    more = "    include: [extra]\n    inputs: {d: '${data.d}'}\ndata: {d: data/}\n"
    project = _project(tmp_path, files, more)
    for folder in ("extra", "data"):
        (project / folder / ".#a").symlink_to("nobody@nowhere.1")
        os.mkfifo(project / folder / "pipe")
        (project / folder / "null").symlink_to("/dev/null")
        (project / folder / "near").symlink_to("pipe")
        with socket.socket(socket.AF_UNIX) as listening, contextlib.chdir(project / folder):
            listening.bind("socket")
        os.mkfifo(project / folder / ".pipe")
    result = compile_spec(CompileRequest(project / "pipeline.yaml", None, {}))
    assert result.compiled is not None, result.checked.diagnostics
    found = [one for one in result.checked.diagnostics if one.code == "SP307"]
    left_out = "is neither a file nor a folder and is left out"
    assert sorted((str(one.severity.value), one.message) for one in found) == [
        ("warning", f"`{folder}/{name}` {left_out}")
        for folder in ("data", "extra")
        for name in ("near", "null", "pipe", "socket")
    ]
    assert _code(result.compiled.code[0]) == ["extra/a.txt", "steps/work.py"]
    assert [name for name, _ in result.compiled.data[0].files] == ["a.csv"]


@pytest.mark.parametrize("kind", ["pipe", "loop"])
def test_a_script_that_is_no_file_is_found(kind: str, tmp_path: Path) -> None:
    """Neither is read: one would never end, the other leads nowhere."""
    project = _project(tmp_path, {"steps/other.py": ""})
    script = project / "steps" / "work.py"
    if kind == "pipe":
        os.mkfifo(script)
    else:
        script.symlink_to("work.py")
    assert [d.code for d in _checked(project).diagnostics] == ["SP301"]


def test_data_that_is_a_pipe_is_an_error_and_an_included_one_is_left_out(tmp_path: Path) -> None:
    """Both are named by themselves in the spec."""
    more = "    include: [pipe]\n    inputs: {d: '${data.d}'}\ndata: {d: pipe}\n"
    project = _project(tmp_path, {"steps/work.py": ""}, more)
    os.mkfifo(project / "pipe")
    found = [(one.code, one.severity.value, one.message) for one in _checked(project).diagnostics]
    assert sorted(found) == [
        ("SP301", "error", "the data `pipe` is neither a file nor a folder"),
        ("SP307", "warning", "`pipe` is neither a file nor a folder and is left out"),
    ]


def test_include_brings_files_folders_and_patterns_but_no_caches(tmp_path: Path) -> None:
    """`include:` names what no import leads to."""
    files = {
        "steps/work.py": "",
        "words/a.txt": "a",
        "words/__pycache__/a.pyc": "x",
        "words/deep/b.txt": "b",
        "tables/c.csv": "c",
        "tables/d.txt": "d",
        "one.txt": "1",
    }
    more = "    include: [words, 'tables/*.csv', one.txt]\n"
    found = _code(_asset(_project(tmp_path, files, more)))
    assert found == ["one.txt", "steps/work.py", "tables/c.csv", "words/a.txt", "words/deep/b.txt"]


def test_source_dir_brings_all_of_the_folder_that_the_script_runs_in(tmp_path: Path) -> None:
    """Its modules are found from there as well; what it would install by itself is said."""
    files = {
        "source/deep/work.py": "import near",
        "source/near.py": "",
        "source/config.json": "{}",
        "source/requirements.txt": "numpy",
        "other.py": "",
    }
    more = "    source_dir: source/\n"
    project = _project(tmp_path, files, more)
    spec = project / "pipeline.yaml"
    spec.write_text(spec.read_text("utf-8").replace("steps/work.py", "source/deep/work.py"))
    assert [one.code for one in _checked(project).diagnostics] == ["SP309"]
    asset = _asset(project)
    assert _code(asset) == sorted(set(files) - {"other.py"})
    assert _job(asset)["source_dir"] == "source"


def test_job_json_says_what_the_runtime_has_to_do(tmp_path: Path) -> None:
    """All keys of the contract are there, unused ones null."""
    more = "    outputs: [rows]\n    requirements: needs.txt\n"
    files = {"steps/work.py": "", "needs.txt": "# comment\n\npandas==2.2.3  # why\nnumpy\n"}
    assert _job(_asset(_project(tmp_path, files, more))) == {
        "version": 1,
        "step": "work",
        "job": "processing",
        "script": "steps/work.py",
        "command": [],
        "program": None,
        "config": {},
        "requirements": {"mode": "index", "lines": ["pandas==2.2.3", "numpy"], "index_url": None},
        "distribution": None,
        "checkpoints": None,
        "tracking": None,
        "source_dir": None,
        "model_input": None,
        "outputs": ["rows"],
        "image": {
            "python": "3.12",
            "framework": "sklearn",
            "version": "1.9-0",
            "accelerator": "cpu",
            "architecture": "x86_64",
            "serving": "sagemaker-toolkit",
        },
    }


@pytest.mark.parametrize(
    ("image", "known"),
    [
        ("${parameters.image}", None),
        ("111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1", [None] * 6),
    ],
)
def test_a_job_is_told_nothing_of_an_image_that_nobody_knows(
    image: str, known: list[None] | None, tmp_path: Path
) -> None:
    """One that is chosen at the start is not described; of one's own no fact is known."""
    more = f"    image: {image}\nparameters:\n  image: {{type: string}}\n"
    described = _job(_asset(_project(tmp_path, {"steps/work.py": ""}, more)))["image"]
    assert (None if described is None else list(described.values())) == known


def test_a_bundle_starts_the_runtime_and_holds_no_other_module_of_ours(tmp_path: Path) -> None:
    """The archive is a zipapp: a `__main__.py`, the runtime, the user's code."""
    asset = _asset(_project(tmp_path, {"steps/work.py": ""}))
    names = [m.path for m in asset.members]
    assert names == sorted(names)
    assert {"__main__.py", "job.json", "tool/pipelines/runtime/job.py"} <= set(names)
    ours = [n for n in names if n.startswith("tool/") and not n.endswith(".pyc")]
    assert all(n.startswith("tool/pipelines/") for n in ours)
    assert {n.split("/")[2] for n in ours} == {"__init__.py", "runtime"}
    with zipfile.ZipFile(io.BytesIO(asset.archive())) as archive:
        assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_a_script_that_is_no_python_is_found_at_its_place(tmp_path: Path) -> None:
    """SP303 stands in the file on the way, once, however many steps need the file."""
    files = {"steps/work.py": "import near", "steps/near.py": "x = 1\nif x\n    pass\n"}
    twice = "  again: {kind: processing, script: steps/work.py}\n"
    (found,) = _checked(_project(tmp_path, files, twice)).diagnostics
    assert found.code == "SP303"
    assert found.message.startswith("line 2 of `steps/near.py` is not valid Python: ")
    assert found.span == Span(str(tmp_path / "steps" / "near.py"), 2, 5, 2, 6)
    assert found.excerpt == "if x"
    assert found.path == ("steps", "work", "script")


def test_serving_code_that_is_no_python_is_found_at_its_place(tmp_path: Path) -> None:
    """A model server would not start, after the training and the registration."""
    more = """
  register:
    kind: registration
    group: g
    model: s3://team-bucket/model.tar.gz
    serving: {source: serving/, image: sklearn-1.9-cpu}
"""
    code = "import near\n\ndef model_fn(folder):\n    return near\n"
    files = {"steps/work.py": "", "serving/inference.py": code, "serving/near.py": "1 ="}
    (found,) = _checked(_project(tmp_path, files, more)).diagnostics
    assert found.code == "SP303"
    assert found.span is not None
    assert found.span.source == str(tmp_path / "serving" / "near.py")


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("x = 1\0", "source code string cannot contain null bytes"),
        ("x = " + "1 + " * 200_000 + "1", "nested too deep"),
    ],
    ids=["null", "deep"],
)
def test_a_script_that_python_cannot_hold_is_found(script: str, said: str, tmp_path: Path) -> None:
    """The compiler of Python names no place for these; the file is named all the same."""
    (found,) = _checked(_project(tmp_path, {"steps/work.py": script})).diagnostics
    assert (found.code, found.message) == (
        "SP303",
        f"line 1 of `steps/work.py` is not valid Python: {said}",
    )
    assert found.span is not None
    assert found.span.line == 9


def test_a_script_behind_a_link_out_of_the_project_is_refused(tmp_path: Path) -> None:
    """A link leads nowhere else than into the project."""
    project = _project(tmp_path / "project", {"steps/other.py": ""})
    (tmp_path / "work.py").write_text("", "utf-8")
    (project / "steps" / "work.py").symlink_to(tmp_path / "work.py")
    assert [d.code for d in _checked(project).diagnostics] == ["SP302"]


def test_written_bundle_is_complete_and_leaves_no_partial_files(tmp_path: Path) -> None:
    """`compile -o` writes definition, assets and objects; every URI has its object."""
    project = _project(tmp_path / "project", {"steps/work.py": "", "data/a.csv": "1"})
    (project / "pipeline.yaml").write_text(
        HEAD + "    inputs:\n      a: ${data.a}\ndata:\n  a: data/\n", "utf-8"
    )
    result = compile_spec(CompileRequest(project / "pipeline.yaml", None, {}))
    assert result.compiled is not None
    shown = [p.name for p in write(result.compiled, tmp_path / "build", project)]
    assert shown == ["p.json", "p.assets.json"]
    assets = json.loads((tmp_path / "build" / "p.assets.json").read_text("utf-8"))
    assert [f for d in assets["data"] for f in d["files"].values()] == ["data/a.csv"]
    for asset in assets["code"]:
        path = tmp_path / "build" / "objects" / asset["uri"].removeprefix("s3://")
        assert zipfile.is_zipfile(path)
    assert list((tmp_path / "build").rglob(".*")) == []
