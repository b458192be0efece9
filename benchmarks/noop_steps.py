"""Ten chained no-op steps, run locally: ours against kfp.local's subprocess runner and Metaflow.

    python -m benchmarks.noop_steps [PAIRS]

Ours goes through real bundles, real isolation, state on disk. Every process starts from nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from benchmarks.pairs import (
    Command,
    Figure,
    count_from_arguments,
    pairs,
    peer,
    pipelines,
    ratio,
    report,
    tool,
)
from benchmarks.projects import steps_project

STEPS = 10

_NOOP = """\
import os
with open(os.environ["SM_OUT_RESULT"] + "/x", "w") as file:
    file.write("1")
"""
"""Hands a value on, as the peers' steps do."""

_KFP = """\
from kfp import dsl, local
local.init(runner=local.SubprocessRunner(use_venv=False))
@dsl.component
def noop(x: int) -> int:
    return x + 1
@dsl.pipeline
def chain(x: int = 0) -> int:
    task = noop(x=x)
    for _ in range(9):
        task = noop(x=task.output)
    return task.output
assert chain(x=0).output == 10
"""

_METAFLOW = """\
from metaflow import FlowSpec, step
class Chain(FlowSpec):
    @step
    def start(self):
        self.next(self.s1)
{steps}
    @step
    def end(self):
        pass
if __name__ == "__main__":
    Chain()
"""
_METAFLOW_STEP = """\
    @step
    def s{number}(self):
        self.next(self.{following})
"""


def ours(folder: Path, python: Path = Path(sys.executable)) -> Command:
    """Write ten no-op steps of ours; no step has a cache, so that every run runs them all."""
    steps_project(folder, STEPS, _NOOP, chained=True)
    return pipelines("run", "--max-parallel", "1", folder=folder, python=python)


def kfp(folder: Path) -> Command:
    """Write ten no-op components."""
    (folder / "chain.py").write_text(_KFP)
    return Command("kfp.local", (str(peer("kfp", ("kfp",))), "chain.py"), folder)


def metaflow(folder: Path) -> Command:
    """Write ten steps, start and end among them."""
    last = STEPS - 2
    steps = "".join(
        _METAFLOW_STEP.format(number=n, following=f"s{n + 1}" if n < last else "end")
        for n in range(1, last + 1)
    )
    (folder / "flow.py").write_text(_METAFLOW.format(steps=steps))
    environment = {"USERNAME": "bench", "METAFLOW_HOME": str(folder)}
    words = (str(peer("metaflow", ("metaflow",))), "flow.py", "--no-pylint", "run")
    return Command("Metaflow", words, folder, environment)


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds of each pair."""
    found = []
    for make in (kfp, metaflow):
        folders = [scratch / make.__name__ / side for side in ("ours", "theirs")]
        for folder in folders:
            folder.mkdir(parents=True)
        theirs = make(folders[1])
        runs = pairs(ours(folders[0], tool()), theirs, count)
        mine, peers, times = ratio([(a.wall, b.wall) for a, b in runs])
        what = f"ten no-op steps, wall s, to {theirs.name}"
        found.append(Figure(what, "at most 1/8", mine, peers, times, times <= 1 / 8))
    return found


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        report("noop_steps", figures(count_from_arguments(5), Path(temporary)))
