"""`init`: what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import click
import pytest

from pipelines.cli import scaffold
from pipelines.cli.main import cli
from pipelines.compile.driver import validate
from pipelines.compile.model import CompileRequest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command

TEMPLATES = ("full", "minimal")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def present(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if not p.is_dir()}


@pytest.mark.parametrize("template", TEMPLATES)
def test_a_template_is_valid_as_it_stands(template: str) -> None:
    """Its spec has no error, so that editing a template is editing a project."""
    checked = validate(
        CompileRequest(scaffold.PACKAGE / "templates" / template / "pipeline.yaml", None, {})
    )
    assert {d.code for d in checked.diagnostics} == {"SP306"}
    assert not checked.failed


def test_a_project_has_all_its_parts(pipelines: Command, folder: Path) -> None:
    """Spec, scripts of every kind, data, tests, requirements, .gitignore, schema, README."""
    answer = pipelines("init", "penguin-sexing")
    assert answer.code == 0, answer.err
    project = folder / "penguin-sexing"
    assert {
        *("pipeline.yaml", "README.md", "requirements.txt", ".gitignore", "conftest.py"),
        *("steps/features.py", "steps/evaluate.py", "steps/suites/penguins.json"),
        *("training/train.py", "serving/inference.py", "data/penguins.csv"),
        *("tests/test_jobs.py", "tests/test_inference.py", "pipeline.schema.json"),
    } <= present(project)
    spec, readme = ((project / name).read_text() for name in ("pipeline.yaml", "README.md"))
    assert "my-project" not in spec + readme
    assert "pipeline: penguin-sexing\n" in spec
    first = spec.splitlines()[0]
    assert first == f"# yaml-language-server: $schema={scaffold.SCHEMA}"
    assert json.loads((project / scaffold.SCHEMA).read_text())["properties"]["spec"]


def test_the_next_commands_are_printed(pipelines: Command) -> None:
    """What to type now, from the folder that the user stands in."""
    lines = pipelines("init", "new project", "--name", "new", "--minimal").out.splitlines()
    ci = "`python -m pipelines ci init`"
    assert lines[lines.index("next:") + 1 :] == [
        "  cd 'new project'",
        "  python -m pip install -r requirements.txt",
        "  python -m pipelines validate",
        "  python -m pipelines run",
        "  python -m pytest",
        "",
        f"To run it at every git push: add `aws:` to pipeline.yaml, then {ci}",
    ]


def test_the_current_folder_may_become_a_project(pipelines: Command, folder: Path) -> None:
    """`init .` takes the folder's name, and leaves beside it what is there."""
    (folder / "here").mkdir()
    os.chdir(folder / "here")
    Path("LICENSE").write_text("mine")
    answer = pipelines("init", ".", "--minimal")
    assert answer.code == 0, answer.err
    assert "  cd " not in answer.out
    assert "pipeline: here\n" in Path("pipeline.yaml").read_text()
    assert Path("LICENSE").read_text() == "mine"


def test_minimal_is_one_processing_and_one_training_step(pipelines: Command) -> None:
    """The smallest useful project: two steps, two scripts, one test."""
    assert pipelines("init", "small", "--minimal").code == 0
    os.chdir("small")
    drawn = pipelines("graph").out
    assert "features (processing)" in drawn
    assert "train (training)" in drawn
    assert pipelines("validate").out.endswith("pipeline.yaml: ok (2 steps)\n")
    assert [path.name for path in Path("tests").iterdir()] == ["test_train.py"]


def test_files_that_are_there_are_not_overwritten(pipelines: Command, folder: Path) -> None:
    """All that is in the way is named at once, and nothing is written."""
    (folder / "pipeline.yaml").write_text("mine")
    (folder / "steps").write_text("a file where a folder would go")
    (folder / "README.md").symlink_to("nowhere")
    answer = pipelines("init", ".", "--name", "mine")
    assert answer.code == 2
    assert "README.md, pipeline.yaml, steps; nothing was written" in answer.err
    assert present(folder) == {"pipeline.yaml", "steps", "README.md"}
    assert (folder / "pipeline.yaml").read_text() == "mine"


def test_a_file_is_no_folder_for_a_project(pipelines: Command, folder: Path) -> None:
    """The argument names the project's folder."""
    (folder / "taken").touch()
    answer = pipelines("init", "taken")
    assert (answer.code, "taken is a file" in answer.err) == (2, True)


def test_the_schema_is_no_part_of_what_may_be_removed(pipelines: Command, folder: Path) -> None:
    """`.pipelines/` holds local state alone; `schema -o` writes the editor's file again."""
    assert pipelines("init", ".", "--minimal", "--name", "mine").code == 0
    assert ".pipelines/\n" in (folder / ".gitignore").read_text()
    written = (folder / scaffold.SCHEMA).read_text()
    (folder / scaffold.SCHEMA).unlink()
    answer = pipelines("schema", "-o", str(scaffold.SCHEMA))
    assert (answer.code, answer.out) == (0, f"wrote {scaffold.SCHEMA}\n")
    assert (folder / scaffold.SCHEMA).read_text() == written
    assert pipelines("schema").out == written


def test_a_schema_of_an_earlier_init_is_replaced(pipelines: Command, folder: Path) -> None:
    """It is the tool's own file: whoever starts afresh gets the one of this version."""
    (folder / scaffold.SCHEMA).write_text("{}")
    assert pipelines("init", ".", "--minimal", "--name", "again").code == 0
    assert json.loads((folder / scaffold.SCHEMA).read_text()) != {}


@pytest.mark.parametrize(
    ("name", "better"),
    [
        ("my_project", "my-project"),
        ("Prévision 2", "Prevision-2"),
        ("-x-", "x"),
        ("日本", "my-project"),
        ("x" * 64, "x" * 63),
        ("", "my-project"),
    ],
)
def test_a_name_that_aws_refuses_gets_a_better_one(
    pipelines: Command, folder: Path, name: str, better: str
) -> None:
    """The group and the endpoint are called like the pipeline, so their rules hold too."""
    answer = pipelines("init", "folder", f"--name={name}")
    assert answer.code == 2
    assert f"--name {better}\n" in answer.err
    assert not present(folder)
    assert pipelines("init", "folder", "--name", better).code == 0


@pytest.mark.parametrize("name", ["123", "1e5", "true", "Null", "0x1F", "2024-01-01"])
def test_a_name_that_yaml_takes_for_something_else_is_quoted(pipelines: Command, name: str) -> None:
    """The pipeline's name is a text, whatever it looks like."""
    assert pipelines("init", "project", "--name", name).code == 0
    os.chdir("project")
    answer = pipelines("validate")
    assert answer.code == 0, answer.out
    assert pipelines("graph").out.splitlines()[0] == name


@pytest.mark.parametrize("own", ["pipelines/__init__.py", "pipelines.py"])
def test_a_package_of_the_same_name_changes_the_commands(
    pipelines: Command, folder: Path, own: str
) -> None:
    """`python -m pipelines` would start the user's own: the console scripts are named instead."""
    (folder / own).parent.mkdir(exist_ok=True)
    (folder / own).touch()
    answer = pipelines("init", ".", "--name", "mine")
    assert answer.code == 0, answer.err
    assert "\n  pipelines validate\n  pipelines run\n  pytest\n" in answer.out
    assert "a Python package `pipelines` of its own" in answer.out
    readme = (folder / "README.md").read_text()
    assert "\npipelines validate " in readme
    assert "use the commands `pipelines` and `pytest`" in readme


def test_a_disk_that_refuses_leaves_nothing(folder: Path) -> None:
    """What was written before the failure is removed, so that the next try finds no hindrance."""
    content = dict.fromkeys((Path("first"), Path("x" * 300)), b"text")
    with pytest.raises(OSError, match="too long"):
        scaffold.write(folder, content)
    assert not present(folder)


@pytest.mark.parametrize("template", TEMPLATES)
def test_editors_find_their_files_in_every_project(template: str) -> None:
    """All of them can be read, and what they start is there with these options."""
    content = scaffold.files(template, "mine")
    hidden = {path: data for path, data in content.items() if path.parts[0].startswith(".")}
    folders = {".vscode", ".run", ".devcontainer", ".gitignore"}
    assert {path.parts[0] for path in hidden} == folders
    read = {path: json.loads(data) for path, data in hidden.items() if path.suffix == ".json"}
    assert read[Path(".devcontainer/devcontainer.json")]["name"] == "mine"
    assert list(read[Path(".vscode/settings.json")]["yaml.schemas"]) == [f"./{scaffold.SCHEMA}"]
    tasks = {task["label"]: task for task in read[Path(".vscode/tasks.json")]["tasks"]}
    launch = read[Path(".vscode/launch.json")]["configurations"]
    assert {one["preLaunchTask"] for one in launch if "preLaunchTask" in one} <= tasks.keys()
    port = next(str(one["connect"]["port"]) for one in launch if "connect" in one)
    assert port in tasks["debug step"]["args"]
    started = [task["args"] for task in tasks.values()]
    started += [_of_jetbrains(data) for path, data in hidden.items() if path.suffix == ".xml"]
    for words in started:
        assert words[:2] == ["-P", "-m"]
        assert words[2] == "pytest" or _is_command(words[3:])


def _of_jetbrains(data: bytes) -> list[str]:
    """Return the words that a run configuration starts Python with."""
    options = ET.fromstring(data).iter("option")  # noqa: S314 - our own file
    values = {one.get("name"): one.get("value") or "" for one in options}
    module = ["-m", values["SCRIPT_NAME"]] if values["MODULE_MODE"] == "true" else []
    return [values["INTERPRETER_OPTIONS"], *module, *shlex.split(values["PARAMETERS"])]


def _is_command(words: list[str]) -> bool:
    """Return whether the tool parses these words."""
    with click.Context(cli) as context:
        command = cli.get_command(context, words[0])
        assert command is not None, words
        command.make_context(words[0], words[1:])
    return True
