"""What a command does not pay for before it begins."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines import kinds
from pipelines.__main__ import run
from pipelines.spec.base import SpecModel

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

LOADED = """
import atexit, sys
atexit.register(lambda: print(*sys.modules, file=sys.stderr))
from pipelines.__main__ import run
run()
"""

MOST_MODULES = 165
UNNEEDED = {
    "asyncio", "botocore", "concurrent.futures", "difflib", "http.client", "jinja2", "logging",
    "pipelines.account", "pipelines.backends", "pipelines.execution", "pipelines.plan",
    "pipelines.registry", "pipelines.runtime.job", "rich",
    "sqlite3", "ssl", "subprocess", "traceback", "unittest", "xml",
}  # fmt: skip


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


def test_annotations_of_models_are_no_texts() -> None:
    """Pydantic would compile each of them again, of a model's bases too, at every start."""
    for name in kinds.names():
        kinds.find(name)
    for model in _below(SpecModel):
        texts = [
            n for n, kind in vars(model).get("__annotations__", {}).items() if isinstance(kind, str)
        ]
        assert not texts, f"{model.__module__} imports `annotations` from `__future__`"


def _below(model: type[SpecModel]) -> Iterator[type[SpecModel]]:
    for one in model.__subclasses__():
        file = getattr(sys.modules.get(one.__module__), "__file__", None)
        if file is not None and (ROOT / "pipelines") in Path(file).parents:  # other tests add kinds
            yield one
            yield from _below(one)


def test_validate_loads_only_what_a_sound_spec_needs(tmp_path: Path) -> None:
    """A module costs about a thousandth of `validate`; what only mistakes need is imported late.

    Whoever adds a check, a kind or a stage may raise the number; nothing else should.
    """
    project = tmp_path / "project"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    words = ["init", str(project), "--minimal"]
    subprocess.run([sys.executable, "-m", "pipelines", *words], env=environment, check=True)
    done = subprocess.run(
        [sys.executable, "-c", LOADED, "validate"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stderr.split())
    assert sorted(loaded & UNNEEDED) == []
    ours = sorted(name for name in loaded if name.split(".")[0] == "pipelines")
    assert len(ours) <= MOST_MODULES, (len(ours), ours)
