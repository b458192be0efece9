"""Chained no-op steps, run locally: ours against kfp.local's subprocess runner and Metaflow.

    python -m benchmarks.noop_steps [PAIRS]

Ours uses real bundles, real isolation and state on disk. Every process starts anew. Ten steps are
timed, and thirty: the difference is the cost of a step without the tool's own start.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from benchmarks.pairs import (
    Command,
    Figure,
    main,
    pairs,
    peer,
    pipelines,
    ratio,
    run,
    tool,
)
from benchmarks.projects import steps_project

STEPS, MORE_STEPS = 10, 30

NOOP = """\
import os
with open(os.environ["SM_OUT_RESULT"] + "/x", "w") as file:
    file.write("1")
"""
"""Passes a value on, as the peers' steps do."""

_KFP = """\
from kfp import dsl, local
local.init(runner=local.SubprocessRunner(use_venv=False))
@dsl.component
def noop(x: int) -> int:
    return x + 1
@dsl.pipeline
def chain(x: int = 0) -> int:
    task = noop(x=x)
    for _ in range({steps} - 1):
        task = noop(x=task.output)
    return task.output
assert chain(x=0).output == {steps}
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


def ours(folder: Path, steps: int, python: Path = Path(sys.executable)) -> Command:
    """Write our no-op steps; none is cached, so that every run executes all of them."""
    steps_project(folder, steps, NOOP, chained=True)
    return pipelines("run", "--max-parallel", "1", folder=folder, python=python)


def kfp(folder: Path, steps: int) -> Command:
    """Write no-op components."""
    folder.mkdir(parents=True)
    (folder / "chain.py").write_text(_KFP.format(steps=steps))
    return Command("kfp.local", (str(peer("kfp", ("kfp",))), "chain.py"), folder)


def metaflow(folder: Path, steps: int) -> Command:
    """Write that many steps, including `start` and `end`."""
    last = steps - 2
    written = "".join(
        _METAFLOW_STEP.format(number=n, following=f"s{n + 1}" if n < last else "end")
        for n in range(1, last + 1)
    )
    folder.mkdir(parents=True)
    (folder / "flow.py").write_text(_METAFLOW.format(steps=written))
    environment = {"USERNAME": "bench", "METAFLOW_HOME": str(folder)}
    words = (str(peer("metaflow", ("metaflow",))), "flow.py", "--no-pylint", "run")
    return Command("Metaflow", words, folder, environment)


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds of ten steps, and of one more, pair by pair."""
    found = []
    for name, make, most in (("kfp.local", kfp, 8), ("Metaflow", metaflow, 4)):
        few, more = zip(*_seconds(make, count, scratch / make.__name__), strict=True)
        further = [
            ((ours_more - ours_few) / (MORE_STEPS - STEPS), (more - few) / (MORE_STEPS - STEPS))
            for (ours_few, few), (ours_more, more) in zip(few, more, strict=True)
        ]
        found.append(_figure(f"ten no-op steps, wall s, to {name}", few, most))
        found.append(_figure(f"a further no-op step, wall s, to {name}", further, 8))
    return found


def _seconds(
    make: Callable[[Path, int], Command], count: int, folder: Path
) -> Iterator[list[tuple[float, float]]]:
    """Yield the pairs (ours, theirs) of few and of more steps, measured one after another."""
    sides = [
        (ours(folder / f"ours-{n}", n, tool()), make(folder / f"theirs-{n}", n))
        for n in (STEPS, MORE_STEPS)
    ]
    for both in sides:
        pairs(*both, 0)  # the warm-up
    for _ in range(count):
        yield [(run(mine).wall, run(theirs).wall) for mine, theirs in sides]


def _figure(what: str, values: Sequence[tuple[float, float]], part: int) -> Figure:
    mine, theirs, times = ratio(values)
    return Figure(what, f"at most 1/{part}", mine, theirs, times, times <= 1 / part)


if __name__ == "__main__":
    main("noop_steps", 5, figures)
