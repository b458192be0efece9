"""What a run and the commands that look cost does not grow with the executions that there were."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.many_runs import fill, newest
from benchmarks.noop_steps import NOOP
from benchmarks.projects import steps_project
from pipelines.json_types import Json
from tests.functional.cli.in_process import run_in

_PAGE, _COPIES = 110, 220
_LIMIT = 1.15
"""Of work: a pass over all executions would make it several times as much."""


@dataclass
class Work:
    """Counts calls of Python functions in this thread, and instructions of SQLite in all."""

    calls: int = 0
    instructions: int = 0

    def of(self, do: Callable[[], object]) -> tuple[int, int]:
        """Return how many calls and instructions something takes."""
        before = self.calls, self.instructions
        sys.setprofile(self._count)
        try:
            do()
        finally:
            sys.setprofile(None)
        return self.calls - before[0], self.instructions - before[1]

    def connect(self, *arguments: Json, **options: Json) -> sqlite3.Connection:
        """Connect to a database whose instructions are counted."""
        connection: sqlite3.Connection = _connect(*arguments, **options)
        connection.set_progress_handler(self._instruct, 1)
        return connection

    def _count(self, _frame: object, event: str, _argument: object) -> None:
        self.calls += event == "call"

    def _instruct(self) -> int:
        self.instructions += 1
        return 0


_connect: Callable[..., sqlite3.Connection] = sqlite3.connect


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Iterator[Work]:
    """Count what SQLite does for the tool."""
    counted = Work()
    monkeypatch.setattr(sqlite3, "connect", counted.connect)
    yield counted
    sys.setprofile(None)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Run a project of one cached no-op step three times, the first time outside the cache."""
    folder = tmp_path / "project"
    spec = steps_project(folder, 1, NOOP, chained=False)
    text = spec.read_text("utf-8").replace("defaults: {", "defaults: {cache: 30d, ")
    spec.write_text(text, "utf-8")
    for _ in range(2):
        assert run_in(folder, "run", "--no-cache").code == 0
    assert run_in(folder, "run").code == 0
    return folder


def test_looking_costs_the_same_whatever_there_was(project: Path, work: Work) -> None:
    """Calls and SQLite's instructions, before and after many executions."""
    commands = (
        ("status",),
        ("outputs",),
        ("report", "-o", "page.html"),
        ("compare", "latest~1", "latest"),
        ("models",),
        ("models", "show", "steps/1"),
        ("versions",),
    )
    home = project / ".pipelines"
    fill(home, newest(home), _PAGE)  # more than a list has on one page
    few = [_taken(work, project, *words) for words in commands]
    fill(home, newest(home), _COPIES)
    for words, before in zip(commands, few, strict=True):
        after = _taken(work, project, *words)
        assert after[0] <= before[0] * _LIMIT, (words, before, after)
        assert after[1] <= before[1] * _LIMIT, (words, before, after)


@pytest.mark.parametrize("words", [(), ("--no-cache",), ("--only", "step-0")])
def test_a_run_costs_the_same_whatever_there_was(
    project: Path, work: Work, words: tuple[str, ...]
) -> None:
    """Also where each of the executions before could answer from the cache."""
    home = project / ".pipelines"
    fill(home, newest(home), _PAGE)
    before = _taken(work, project, "run", *words)
    fill(home, newest(home), _COPIES)
    after = _taken(work, project, "run", *words)
    assert after[1] <= before[1] * _LIMIT, (before, after)


def _taken(work: Work, project: Path, command: str, *words: str) -> tuple[int, int]:
    """Return what a command takes; the second time, when everything is imported."""
    local = () if command == "run" else ("--local",)

    def give() -> None:
        answer = run_in(project, command, *local, *words)
        assert answer.code == 0, answer.err

    give()
    return work.of(give)
