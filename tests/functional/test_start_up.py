"""What a command does not pay for before it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.__main__ import run

ROOT = Path(__file__).parents[2]

MEASURING = """
import atexit, sys
from pipelines.__main__ import run

deepest = 0
depth = -run.__code__.co_stacksize

def measure(frame, event, _argument):
    global depth, deepest
    code = frame.f_code
    names = code.co_nlocals + len(code.co_cellvars) + len(code.co_freevars)
    if event == "call":
        depth += names + code.co_stacksize + 12
        deepest = max(deepest, depth)
    elif event == "return":
        depth -= names + code.co_stacksize + 12

atexit.register(lambda: print(deepest, file=sys.stderr))
sys.setprofile(measure)
run()
"""


def test_plugins_of_pydantic_are_left_alone(tmp_path: Path) -> None:
    """Looking for them reads what every installed package says of itself."""
    (tmp_path / "watching.py").write_text("raise SystemExit('it was loaded')\n", "utf-8")
    package = tmp_path / "watching-1.0.dist-info"
    package.mkdir()
    (package / "METADATA").write_text("Name: watching\nVersion: 1.0\n", "utf-8")
    (package / "entry_points.txt").write_text("[pydantic]\nwatching = watching:PLUGIN\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pipelines", "validate", "--help"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("words", [["validate"], ["compile", "-o"]])
def test_the_frames_of_a_command_lie_in_one_block(words: list[str], tmp_path: Path) -> None:
    """Else the interpreter maps a block and unmaps it, whenever calls pass the edge of one."""
    room = run.__code__.co_stacksize
    output = [str(tmp_path)] * (words[-1] == "-o")
    done = subprocess.run(
        [sys.executable, "-c", MEASURING, *words, *output],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert 1000 < int(done.stderr) < room
