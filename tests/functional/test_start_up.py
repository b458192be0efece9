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

LOADED = r"""
import atexit, sys
atexit.register(lambda: print(*sys.modules, sep="\n", file=sys.stderr))
from pipelines.__main__ import run
run()
"""

FLOOR = r"""
import sys
import benchmarks.floor
print(*sys.modules, sep="\n", file=sys.stderr)
"""

AUDITED = r"""
import atexit, sys
from pipelines.__main__ import run
seen = []
sys.addaudithook(lambda event, values: {hook})
atexit.register(lambda: print(*seen, sep="\n", file=sys.stderr))
run()
"""
OPENED = AUDITED.format(hook="event == 'open' and seen.append(values[0])")
PARSED = AUDITED.format(hook="event == 'compile' and seen.append(values[1])")

MOST_MODULES = 193
UNNEEDED = {
    "asyncio", "botocore", "concurrent.futures", "difflib", "http.client", "jinja2", "logging",
    "pipelines.account", "pipelines.backends", "pipelines.bundle.digests",
    "pipelines.bundle.relative", "pipelines.compile.beside_errors", "pipelines.compile.origins",
    "pipelines.execution", "pipelines.kinds.base.autoscaling", "pipelines.kinds.base.checkpoints",
    "pipelines.kinds.base.documents", "pipelines.kinds.base.model_parallel",
    "pipelines.kinds.base.tracking", "pipelines.plan", "pipelines.spec.automation",
    "pipelines.spec.mistakes", "pipelines.spec.networks",
    "pipelines.registry", "pipelines.runtime.job", "rich",
    "sqlite3", "ssl", "subprocess", "traceback", "unittest", "xml",
}  # fmt: skip
SMALL = {
    "_heapq", "_json", "atexit", "encodings.utf_8_sig", "gc", "gettext", "heapq", "json",
    "json.decoder", "json.encoder", "json.scanner", "shlex", "unicodedata",
}  # fmt: skip
"""What `validate` has of the standard library beside what the floor imports."""


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
    words = [sys.executable, "-m", "pipelines", "init", str(project), "--minimal"]
    subprocess.run(words, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=True)
    loaded = set(_at_exit(LOADED, project))
    assert sorted(loaded & UNNEEDED) == []
    ours = sorted(name for name in loaded if name.split(".")[0] == "pipelines")
    assert len(ours) <= MOST_MODULES, (len(ours), ours)


def test_validate_loads_no_modules_of_others_that_the_floor_does_not() -> None:
    """Beside click and a few small modules it imports what yaml and pydantic do, nothing else."""
    floor = set(_at_exit(FLOOR, ROOT))
    loaded = {name for name in _at_exit(LOADED, ROOT) if name not in floor}
    assert {"pipelines.kinds.training", "click"} <= loaded
    assert sorted(loaded & UNNEEDED) == []
    others = {name for name in loaded if name.split(".")[0] not in {"pipelines", "click"}}
    assert sorted(others - SMALL) == []


def test_validate_reads_nothing_of_packages_that_the_requirements_name() -> None:
    """The example lists all that it imports: what is installed here cannot say more about it."""
    opened = [Path(name) for name in _at_exit(OPENED, ROOT)]
    assert ROOT / "pipelines/images/modules.json" in opened
    read = [str(file) for file in opened if file.parent.suffix in {".dist-info", ".egg-info"}]
    assert read == []


def test_validate_reads_no_file_that_is_only_uploaded() -> None:
    """Bundles hold the runtime and what serves; only `compile` has to know their hashes."""
    opened = {Path(name) for name in _at_exit(OPENED, ROOT)}
    assert Path("serving/inference.py") in opened
    assert Path("serving/Dockerfile") not in opened
    assert not [one for one in opened if one.suffix == ".py" and ROOT / "pipelines" in one.parents]


def test_validate_parses_each_file_of_code_once() -> None:
    """A syntax tree is half of what a bundle costs."""
    parsed = [name for name in _at_exit(PARSED, ROOT) if not name.startswith("<")]
    assert "training/train.py" in parsed
    assert sorted(parsed) == sorted(set(parsed))


def _at_exit(measuring: str, folder: Path) -> list[str]:
    """Run `validate` under a script that prints names to stderr at its end."""
    done = subprocess.run(
        [sys.executable, "-c", measuring, "validate"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stderr.splitlines()
