"""Compile time against the number of steps: linear.

    python -m benchmarks.compile_scaling [REPETITIONS]

Compiles chains of 5 to 50 steps in one process, takes the shortest time of each, fits a straight
line by least squares and reports the largest deviation from it, relative to the fitted time.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path

from benchmarks.pairs import Figure, main
from benchmarks.projects import steps_project
from pipelines.compile.driver import compile_spec
from pipelines.compile.model import CompileRequest

SIZES = (5, 10, 20, 30, 40, 50)


def seconds(file: Path) -> float:
    """Time one compile."""
    began = time.perf_counter()
    result = compile_spec(CompileRequest(file, None, {}))
    elapsed = time.perf_counter() - began
    if result.compiled is None:
        raise SystemExit([d.message for d in result.checked.diagnostics])
    return elapsed


def figures(repetitions: int, scratch: Path) -> list[Figure]:
    """Fit a line through the shortest times; a deviation of up to a fifth counts as linear."""
    files = {n: steps_project(scratch / str(n), n, "", chained=True) for n in SIZES}
    seconds(files[SIZES[0]])
    times = {n: min(seconds(file) for _ in range(repetitions)) for n, file in files.items()}
    slope, start = statistics.linear_regression(list(times), list(times.values()))
    deviation = max(abs(t - (start + slope * n)) / (start + slope * n) for n, t in times.items())
    for number, elapsed in times.items():
        print(f"  {number:2} steps: {elapsed * 1e3:6.1f} ms")
    what = "compile of 50 steps, ms, to 5 steps; the ratio is the largest deviation from a line"
    first, last = times[SIZES[0]] * 1e3, times[SIZES[-1]] * 1e3
    return [Figure(what, "at most 0.2", last, first, deviation, deviation <= 0.2)]


if __name__ == "__main__":
    main("compile_scaling", 15, figures)
