"""`validate` of the example, whole process, against the floor: within 2x.

python -m benchmarks.validate_vs_floor [PAIRS]
"""

from __future__ import annotations

import sys

from benchmarks.pairs import Command, Figure, count_from_arguments, pairs, pipelines, ratio, report


def figures(count: int) -> list[Figure]:
    """Measure CPU seconds of both."""
    ours = pipelines("validate")
    floor = Command("floor", (sys.executable, "benchmarks/floor.py"))
    runs = pairs(ours, floor, count)
    mine, theirs, times = ratio([(a.cpu, b.cpu) for a, b in runs])
    return [Figure("validate, CPU s, to the floor", "at most 2x", mine, theirs, times, times <= 2)]


if __name__ == "__main__":
    report("validate_vs_floor", figures(count_from_arguments(15)))
