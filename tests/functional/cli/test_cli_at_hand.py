"""What spares typing: groups in `--help`, `PIPELINES_LOCAL`, parameters from a file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command, Processes


def test_help_lists_every_command_once_below_what_it_is_for(pipelines: Command) -> None:
    """No command is missing and none stands twice."""
    text = pipelines("--help").out
    assert re.findall(r"^(\w+):$", text, re.MULTILINE)[-5:] == [
        "Write",
        "Run",
        "Ship",
        "Serve",
        "Look",
    ]
    folder = Path(__file__).parents[3] / "pipelines/cli/commands"
    names = {file.stem for file in folder.iterdir() if not file.name.startswith("_")}
    listed = re.findall(r"^  ([a-z]+) +[A-Z]", text, re.MULTILINE)
    assert sorted(listed) == sorted(names)


@pytest.mark.usefixtures("project")
def test_a_variable_means_local(pipelines: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every command that takes `--local` looks at the local SageMaker."""
    monkeypatch.setenv("PIPELINES_LOCAL", "1")
    assert pipelines("status").out == "no executions yet: python -m pipelines run\n"


def test_parameters_come_from_a_file(project: Path, pipelines: Command) -> None:
    """What is given later on the command line counts; a wrong file is a usage error."""
    (project / "given.yaml").write_text("count: 5\nleast: 1e-1\n", "utf-8")
    assert pipelines("run", "-p", "@given.yaml").code == 0
    assert "making 5" in pipelines("logs", "--local").out
    assert pipelines("run", "-p", "@given.yaml", "-p", "count=4").code == 0
    assert "making 4" in pipelines("logs", "--local").out
    assert "there is no file no.yaml" in pipelines("run", "-p", "@no.yaml").err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- count\n", "given.yaml does not hold names with values"),
        ("", "given.yaml does not hold names with values"),
        ("count: 1\ncount: 2\n", "given.yaml:2:1: the key `count` is already on line 1"),
        ("count: 1\nleast: [\n", "given.yaml:2:8: this `[` is never closed"),
        ("count:\n  - 1\n", "given.yaml:1:1: the value of `count` is not a text or a number"),
        ("count: null\n", "given.yaml:1:1: the value of `count` is not a text or a number"),
    ],
)
def test_what_is_wrong_in_a_file_of_parameters_has_a_place(
    project: Path, pipelines: Command, text: str, said: str
) -> None:
    """As in a spec."""
    (project / "given.yaml").write_text(text, "utf-8")
    wrong = pipelines("run", "-p", "@given.yaml")
    assert wrong.code == 2
    assert said in wrong.err


@pytest.mark.usefixtures("project")
def test_a_variable_that_is_neither_yes_nor_no_is_named(
    pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has written `--local`."""
    monkeypatch.setenv("PIPELINES_LOCAL", "banana")
    answer = pipelines("status")
    assert answer.code == 2
    assert "PIPELINES_LOCAL" in answer.err


def test_a_shell_completes_commands(processes: Processes) -> None:
    """By click's protocol, as docs/writing-pipelines.md has it."""
    asked = {"_PIPELINES_COMPLETE": "bash_complete", "COMP_WORDS": "pipelines de"}
    completing = type(processes)({**processes.environ, **asked, "COMP_CWORD": "1"})
    assert "plain,debug\n" in completing().out
