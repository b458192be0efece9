"""`validate` of the example, whole process, against the floor: within 1.75x.

python -m benchmarks.validate_vs_floor [PAIRS]
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.pairs import Command, Figure, main, pairs, pipelines, ratio


def figures(count: int, _scratch: Path) -> list[Figure]:
    """Measure CPU seconds of both."""
    ours = pipelines("validate")
    floor = Command("floor", (sys.executable, "benchmarks/floor.py"))
    runs = pairs(ours, floor, count)
    mine, theirs, times = ratio([(a.cpu, b.cpu) for a, b in runs])
    return [
        Figure("validate, CPU s, to the floor", "at most 1.75x", mine, theirs, times, times <= 1.75)
    ]


if __name__ == "__main__":
    main("validate_vs_floor", 15, figures)
