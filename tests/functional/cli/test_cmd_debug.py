"""`debug`: one step at a terminal, on what an earlier execution left."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pipelines.backends.local.jobs.launcher import named_sources
from pipelines.errors import ExecutionFailedError

if TYPE_CHECKING:
    from tests.functional.cli.conftest import Command, Processes

STOPPING = '''\
"""Stops in a function of another module."""

import os
from pathlib import Path

from counting import count

Path(os.environ["SM_OUT_SUMS"], "sum.txt").write_text(str(count()))
'''

COUNTING = '''\
"""What `use` imports."""

import os
from pathlib import Path


def count():
    """Count the rows."""
    rows = Path(os.environ["SM_CHANNEL_ROWS"], "rows.txt").read_text().split()
    breakpoint()
    return len(rows)
'''


@pytest.fixture
def stopping(project: Path) -> Path:
    """Make the step `use` stop in its debugger, and give it an output."""
    (project / "steps" / "use.py").write_text(STOPPING, "utf-8")
    (project / "steps" / "counting.py").write_text(COUNTING, "utf-8")
    spec = (project / "pipeline.yaml").read_text("utf-8")
    rows = "      rows: ${steps.make.rows}\n"
    written = spec.replace(rows, f"{rows}    outputs: [sums]\n")
    (project / "pipeline.yaml").write_text(written, "utf-8")
    return project


class Terminal:
    """A command in a terminal of its own."""

    def __init__(self, process: int, descriptor: int) -> None:
        self._process = process
        self._descriptor = descriptor
        self._unseen = ""

    def see(self, text: str) -> None:
        """Wait until the command writes a text, after what was seen last."""
        while text not in self._unseen:
            self._unseen += self._read()
            assert not self._unseen.endswith("\0"), f"`{text}` did not come: {self._unseen}"
        self._unseen = self._unseen.partition(text)[2]

    def write(self, text: str) -> None:
        """Type a text."""
        os.write(self._descriptor, text.encode())

    def end(self) -> int:
        """Wait for the command's end; return its exit code."""
        while self._read() != "\0":
            pass
        return os.waitstatus_to_exitcode(os.waitpid(self._process, 0)[1])

    def _read(self) -> str:
        try:
            return os.read(self._descriptor, 4096).decode(errors="replace") or "\0"
        except OSError:  # on Linux: the other end is closed
            return "\0"


@contextmanager
def _terminal(environ: dict[str, str], *arguments: str) -> Iterator[Terminal]:
    """Run the tool in a new session whose terminal is ours."""
    words = [sys.executable, "-m", "pipelines", *arguments]
    process, descriptor = pty.fork()
    if process == 0:
        os.execve(words[0], words, environ)  # noqa: S606 - the tool
    try:
        yield Terminal(process, descriptor)
    finally:
        os.close(descriptor)


def _files(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


def test_a_breakpoint_stops_in_the_terminal(stopping: Path, processes: Processes) -> None:
    """The debugger reads what is typed and names the project's file; the outputs stay."""
    (stopping / "steps" / "counting.py").write_text(
        COUNTING.replace("    breakpoint()\n", ""), "utf-8"
    )
    assert processes("run").code == 0
    (stopping / "steps" / "counting.py").write_text(COUNTING, "utf-8")
    before = _files(stopping / ".pipelines" / "s3")
    with _terminal(processes.environ, "debug", "use") as terminal:
        terminal.see(f"> {stopping}/steps/counting.py(")
        terminal.write("p len(rows) + 100\n")
        terminal.see("103")
        terminal.write("c\n")
        assert terminal.end() == 0
    opt_ml = stopping / ".pipelines/jobs/debug-use/algo-1/opt/ml"
    assert (opt_ml / "processing/output/sums/sum.txt").read_text() == "3"
    new = _files(stopping / ".pipelines" / "s3") - before
    assert all("/code/use/" in str(path) for path in new)  # the edited script's bundle


def test_nothing_of_it_is_recorded(project: Path, pipelines: Command) -> None:
    """No execution, no cache entry, no object but the code and the data that a run stages too."""
    assert pipelines("debug", "make").code == 0
    assert "no executions yet" in pipelines("status", "--local").out
    staged = {path.parts[-4] for path in _files(project / ".pipelines/s3/team-bucket")}
    assert staged == {"code", "data"}
    assert pipelines("run").code == 0
    assert "cached" not in pipelines("status", "--local").out


def test_ctrl_c_is_the_scripts(project: Path, processes: Processes) -> None:
    """It raises KeyboardInterrupt in the script; the command ends when the script has."""
    script = """\
import time

try:
    print("wait" + "ing", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    raise SystemExit("interrupted by the user")
"""
    (project / "steps" / "make.py").write_text(script, "utf-8")
    with _terminal(processes.environ, "debug", "make") as terminal:
        terminal.see("waiting")
        terminal.write("\x03")
        terminal.see("interrupted by the user")
        assert terminal.end() == ExecutionFailedError.exit_code


def test_a_traceback_names_the_projects_files(stopping: Path, processes: Processes) -> None:
    """It begins in the script, and names no copy of it; a failed script is exit code 5."""
    broken = COUNTING.replace("breakpoint()", "raise ValueError(len(rows))")
    (stopping / "steps" / "counting.py").write_text(broken, "utf-8")
    assert processes("run").code == ExecutionFailedError.exit_code
    answer = processes("debug", "use")
    assert answer.code == ExecutionFailedError.exit_code
    places = re.findall(r'File "(.*)", line \d+', answer.err)
    assert places == [str(stopping / "steps/use.py"), str(stopping / "steps/counting.py")]
    assert "use ended with exit code 1" in answer.err


def test_the_next_debug_replaces_the_folder_and_prune_removes_it(
    project: Path, pipelines: Command
) -> None:
    """What an earlier debug left is gone; `prune --local` removes the rest."""
    folder = project / ".pipelines/jobs/debug-make"
    assert pipelines("debug", "make").code == 0
    (folder / "algo-1/opt/ml/old").touch()
    assert pipelines("debug", "make").code == 0
    assert not (folder / "algo-1/opt/ml/old").exists()
    assert (folder / "algo-1/opt/ml").is_dir()
    assert pipelines("prune", "--local", "--yes").code == 0
    assert not folder.exists()


@pytest.mark.usefixtures("project")
def test_what_cannot_be_debugged_is_said(pipelines: Command) -> None:
    """A step that is no job, one that does not exist, one whose inputs nothing has made."""
    fails = pipelines("debug", "reject")
    assert "the step `reject` runs no script of yours" in fails.err
    assert "steps that can be debugged: make, use" in fails.err
    assert "did you mean `make`?" in pipelines("debug", "mkae").err
    unmade = pipelines("debug", "use")
    assert "need `make`, and no execution of small has its results" in unmade.err
    assert {fails.code, unmade.code} == {2}


@pytest.mark.usefixtures("project")
def test_from_names_the_execution(pipelines: Command) -> None:
    """The named execution's results and parameters count, not the latest one's."""
    first = pipelines("run", "-p", "count=4").out.split()[2]
    assert pipelines("run", "-p", "count=5").code == 0
    answer = pipelines("debug", "use", "--from", first)
    assert f"make from {first}" in answer.err
    assert "there is no execution `nonesuch`" in pipelines("debug", "use", "--from", "nonesuch").err


def test_an_editors_debugger_needs_debugpy(
    project: Path, pipelines: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is said before anything is waited for, with the command that installs it."""
    del project
    monkeypatch.setitem(sys.modules, "debugpy", None)
    assert pipelines("run").code == 0
    answer = pipelines("debug", "make", "--listen", "5678")
    assert answer.code == 2
    assert "debugpy is not installed" in answer.err
    assert "python -m pip install debugpy" in answer.err


def test_the_script_begins_when_a_debugger_has_attached(tmp_path: Path) -> None:
    """What is printed before tells the editor that it can attach; the script sees nothing of it."""
    written = {
        "debugpy.py": (
            "def listen(address): print('listening', *address)\n"
            "def wait_for_client(): print('attached')\n"
        ),
        "script.py": "import os\nprint('script', os.environ.get('PIPELINES_DEBUGGER_PORT'))\n",
    }
    for name, text in written.items():
        (tmp_path / name).write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, named_sources.__file__, str(tmp_path), str(tmp_path / "script.py")],
        env={"PYTHONPATH": str(tmp_path), "PIPELINES_DEBUGGER_PORT": "5678"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "listening 127.0.0.1 5678",
        "waiting for a debugger at 127.0.0.1:5678",
        "attached",
        "script None",
    ]
