"""The command line itself: help, unknown commands, what has to be installed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command, Processes

ROOT = Path(__file__).parents[3]

OPTIONAL = ("boto3", "botocore", "torch", "pandas", "numpy", "pyarrow", "sklearn", "onnx", "rich")

WITHOUT_OPTIONAL_PACKAGES = f"""
import sys

class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {(*OPTIONAL, "great_expectations", "sagemaker")!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
from pipelines.cli.main import main
main()
"""


def test_an_unknown_command_is_a_usage_error(pipelines: Command) -> None:
    """A typing error is answered with the command that was meant."""
    answer = pipelines("valdiate")
    assert answer.code == 2
    assert "there is no command `valdiate`. Did you mean `validate`?" in answer.err
    assert pipelines("quantum").code == 2


def test_an_unknown_option_is_a_usage_error(pipelines: Command) -> None:
    """So is an option that a command does not have, and a value that is no choice."""
    assert pipelines("validate", "--frmat", "json").code == 2
    answer = pipelines("validate", "--format", "xml")
    assert answer.code == 2
    assert "sarif" in answer.err


@pytest.mark.parametrize(
    "words",
    [
        ("init", ""),
        ("validate", "-f", ""),
        ("compile", "-o", ""),
        ("schema", "-o", ""),
        ("report", "-o", "", "latest"),
        ("ci", "init", "-o", ""),
        ("ci", "plan", "--from", ""),
    ],
)
def test_an_empty_path_is_a_usage_error(pipelines: Command, words: tuple[str, ...]) -> None:
    """The shell makes one of a variable that is not set; it does not mean this folder."""
    answer = pipelines(*words)
    assert answer.code == 2
    assert "the path is empty: is a variable not set?" in answer.err


def test_a_folder_that_was_removed_is_a_usage_error(tmp_path: Path) -> None:
    """The shell still stands in it; no path can be made there."""
    script = "rmdir ../removed && exec $0 -m pipelines validate"
    folder = tmp_path / "removed"
    folder.mkdir()
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    words = ["sh", "-c", script, sys.executable]
    ran = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    assert (ran.returncode, ran.stderr.splitlines()[0]) == (
        2,
        "error: the current folder was removed",
    )


def test_help_lists_every_command_with_a_line(processes: Processes) -> None:
    """`--help` is where a new user begins."""
    answer = processes("--help")
    assert answer.code == 0
    for command in ("validate", "compile", "graph", "run", "status", "logs", "models", "explain"):
        assert f"\n  {command} " in answer.out


def test_exit_functions_that_were_there_first_are_called(tmp_path: Path) -> None:
    """Those of coverage or a profiler, which are registered before the tool is imported."""
    hook = "import atexit\natexit.register(print, 'called at exit')\n"
    (tmp_path / "sitecustomize.py").write_text(hook, "utf-8")
    paths = os.pathsep.join((str(tmp_path), str(ROOT)))
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "explain", "SP102"],
        env={**os.environ, "PYTHONPATH": paths}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("called at exit\n")


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["validate", "compile", "graph", "explain"])
def test_only_three_packages_are_needed_to_check_and_compile(command: str) -> None:
    """PyYAML, pydantic and click: no AWS library, nothing of the example, no terminal library."""
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_OPTIONAL_PACKAGES, command],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("command", ["status", "models"])
def test_looking_at_the_local_sagemaker_reads_no_spec(command: str) -> None:
    """No server, no AWS library, and not even the models of a spec: only the state is opened."""
    modules = ("botocore", "pydantic", "uvicorn", "pipelines.compile", "pipelines.backends.aws")
    code = f"""
import sys
sys.argv = ["pipelines", {command!r}, "--local"]
from pipelines.cli.main import main
try:
    main()
finally:
    print(*[name for name in {modules!r} if name in sys.modules], file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "\n")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"a: [",
        b"- 1",
        b"steps: {a: {kind: training}}",
        b"? [a]\n: b",
        b"\x00",
    ],
)
@pytest.mark.parametrize("command", ["validate", "compile", "graph", "run"])
def test_no_text_of_a_spec_shows_a_traceback(
    command: str, content: bytes, project: Path, pipelines: Command
) -> None:
    """Whatever the file holds, the answer is diagnostics and exit code 3."""
    (project / "pipeline.yaml").write_bytes(content)
    answer = pipelines(command)
    assert answer.code == 3
    assert "Traceback" not in answer.out + answer.err
    assert "error[SP" in answer.out + answer.err


@pytest.mark.parametrize("command", ["validate", "compile", "run"])
def test_a_folder_as_spec_file_is_no_crash(command: str, project: Path, pipelines: Command) -> None:
    """`-f .` is answered in words."""
    answer = pipelines(command, "-f", project)
    assert answer.code in {2, 3}
    assert "Traceback" not in answer.out + answer.err
