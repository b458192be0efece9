"""Four independent one-second steps with --max-parallel 4, against one such step: under twice.

python -m benchmarks.parallel_steps [PAIRS]
"""

from __future__ import annotations

from pathlib import Path

from benchmarks.pairs import Figure, main, pairs, pipelines, ratio
from benchmarks.projects import steps_project

_ONE_SECOND = "import time\ntime.sleep(1)\n"


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds of `run` with four steps and with one."""
    commands = []
    for steps in (4, 1):
        folder = scratch / str(steps)
        steps_project(folder, steps, _ONE_SECOND, chained=False)
        commands.append(pipelines("run", "--max-parallel", "4", folder=folder))
    runs = pairs(commands[0], commands[1], count)
    four, one, times = ratio([(a.wall, b.wall) for a, b in runs])
    what = "four one-second steps at once, wall s, to one"
    return [Figure(what, "under 2x", four, one, times, times < 2)]


if __name__ == "__main__":
    main("parallel_steps", 5, figures)
