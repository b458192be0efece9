"""Commands run in turn, A B A B …: their time and memory, and the ratio pair by pair.

Machines are noisy and drift; the ratio of two consecutive runs is reliable where a single figure is
not. Every figure covers a whole process, including its children.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "build" / "benchmarks"


@dataclass(frozen=True, slots=True)
class Command:
    """A command to be measured.

    Args:
        name: its name in the table.
        words: the program and its arguments.
        folder: where it runs.
        environment: variables in addition to this process's.
    """

    name: str
    words: tuple[str, ...]
    folder: Path = ROOT
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Run:
    """One finished process: wall and CPU seconds, peak memory in MB, the end of its output."""

    wall: float
    cpu: float
    memory: float
    output: str


@dataclass(frozen=True, slots=True)
class Figure:
    """The result of one comparison.

    Args:
        what: what is compared.
        target: the project's promise, in words.
        ours: median of our figure.
        theirs: median of the peer's.
        ratio: median over the pairs of ours / theirs.
        holds: whether the promise holds in this run.
    """

    what: str
    target: str
    ours: float
    theirs: float
    ratio: float
    holds: bool


def run(command: Command) -> Run:
    """Run a command once.

    Raises:
        SystemExit: it failed; the message holds its output.
    """
    environment = {**os.environ, **(command.environment or {})}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users have bytecode; so have both sides
    began = time.perf_counter()
    process = subprocess.Popen(
        command.words,
        cwd=command.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    output = ""
    if process.stdout is not None:
        with process.stdout as stream:
            output = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command.name} failed with {process.returncode}:\n{output[-3000:]}")
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def pipelines(*words: str, folder: Path = ROOT, python: Path = Path(sys.executable)) -> Command:
    """Return a command of this checkout's tool, installed or not."""
    name = f"pipelines {words[0]}"
    environment = {"PYTHONPATH": str(ROOT)}
    return Command(name, (str(python), "-m", "pipelines", *words), folder, environment)


def pairs(ours: Command, theirs: Command, count: int) -> list[tuple[Run, Run]]:
    """Run two commands in turn, after one uncounted warm-up of each."""
    run(ours)
    run(theirs)
    return [(run(ours), run(theirs)) for _ in range(count)]


def ratio(values: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the medians of both sides and the median of the ratios pair by pair."""
    return (
        statistics.median(a for a, _ in values),
        statistics.median(b for _, b in values),
        statistics.median(a / b for a, b in values),
    )


def main(name: str, count: int, measure: Callable[[int, Path], Sequence[Figure]]) -> None:
    """Run a benchmark as the command line asks, print its figures and record them.

    Args:
        name: of the benchmark: its results go to `build/benchmarks/<name>.json`.
        count: how many pairs, unless the command line says otherwise.
        measure: takes the number of pairs and an empty folder.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}")
    parser.add_argument("pairs", nargs="?", type=int, default=count, help=f"default: {count}")
    parser.add_argument("--short", action="store_true", help="one pair; no result is recorded")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        figures = measure(1 if options.short else options.pairs, Path(scratch))
    show(figures)
    if not options.short:
        RESULTS.mkdir(parents=True, exist_ok=True)
        text = json.dumps([asdict(figure) for figure in figures], indent=2)
        (RESULTS / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def show(figures: Sequence[Figure]) -> None:
    """Print one line per figure."""
    for figure in figures:
        mark = "holds" if figure.holds else "MISSED"
        print(
            f"{figure.what}: {figure.ours:.3g} against {figure.theirs:.3g}, "
            f"ratio {figure.ratio:.3g} ({figure.target}: {mark})"
        )


def peer(name: str, requirements: Sequence[str]) -> Path:
    """Return the Python of a peer's environment, which is created when it is missing."""
    folder = ROOT / f".venv-bench-{name}"
    python = folder / "bin" / "python"
    ready = folder / "ready"
    if not ready.is_file():
        print(f"installing {', '.join(requirements)} for comparison …", file=sys.stderr)
        venv.create(folder, with_pip=True, clear=True)
        subprocess.run(
            [python, "-m", "pip", "install", "--quiet", *requirements], check=True, cwd=folder
        )
        ready.touch()
    return python


def tool() -> Path:
    """Return the Python of an environment with the tool's dependencies only, as peers have theirs.

    Each job starts an interpreter, and a development environment makes that start slower (the
    finder of an editable install takes 14 of 20 ms) than it is for users.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return peer("tool", project["dependencies"])
