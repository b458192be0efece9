"""Compile time against the number of steps: linear.

    python -m benchmarks.compile_scaling [ROUNDS]

Compiles chains of 10, 30 and 50 steps in one process, in turn. Forty further steps cost twice what
twenty cost, where the time is linear; three times, where it grows with the square.
"""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.pairs import Figure, main, ratio
from benchmarks.projects import steps_project
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest

SIZES = (10, 30, 50)


def seconds(file: Path) -> float:
    """Measure the CPU seconds of one compile."""
    began = time.process_time()
    result = compile_spec(CompileRequest(file, None, {}))
    elapsed = time.process_time() - began
    if result.compiled is None:
        raise SystemExit([d.message for d in result.checked.diagnostics])
    return elapsed


def further(files: list[Path]) -> tuple[float, float]:
    """Compile each size once; return what forty and what twenty further steps cost."""
    few, some, many = map(seconds, files)
    return many - few, some - few


def figures(rounds: int, scratch: Path) -> list[Figure]:
    """Compare the two differences, round by round."""
    files = [steps_project(scratch / str(n), n, "", chained=True) for n in SIZES]
    further(files)  # the warm-up
    forty, twenty, times = ratio([further(files) for _ in range(rounds)])
    what = "compile of 40 further steps, CPU s, to 20 further steps"
    return [Figure(what, "at most 2.4x", forty, twenty, times, times <= 2.4)]


if __name__ == "__main__":
    main("compile_scaling", 15, figures)
