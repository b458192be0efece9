"""`compile` against SageMaker SDK v3 on the same chain, and of the example against the floor.

    make oracle && python -m benchmarks.compile_vs_sdk [PAIRS]

The SDK's side runs under moto; moto's own start is measured and subtracted. Peak memory is that of
the whole process, including moto, which cannot be subtracted.
"""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from benchmarks.pairs import (
    ROOT,
    Command,
    Figure,
    main,
    pairs,
    peer,
    pipelines,
    ratio,
    run,
)
from benchmarks.projects import chain_project


def against_the_sdk(count: int, folder: Path) -> list[Figure]:
    """Compile the same chain with both, whole processes."""
    chain_project(folder)
    python = str(peer("sdk", ("sagemaker==3.27.0", "moto[iam,s3,sts]>=5.2")))
    script = str(ROOT / "benchmarks" / "sdk_chain.py")
    ours = pipelines("compile", folder=folder)
    sdk = Command("SDK v3", (python, script), folder)
    moto = statistics.median(run(Command("moto", (python, script, "moto"))).wall for _ in range(3))
    runs = pairs(ours, sdk, count)
    mine, theirs, times = ratio([(a.wall, b.wall - moto) for a, b in runs])
    my_memory, their_memory, memory = ratio([(a.memory, b.memory) for a, b in runs])
    return [
        Figure("compile, wall s, to SDK v3", "at most 1/15", mine, theirs, times, times <= 1 / 15),
        Figure(
            "compile, peak MB, to SDK v3", "at most 1/8", my_memory, their_memory, memory,
            memory <= 1 / 8,
        ),
    ]  # fmt: skip


def against_the_floor(count: int) -> list[Figure]:
    """Compile the example, its data hashed, against the floor."""
    ours = pipelines("compile")
    floor = Command("floor", (sys.executable, "benchmarks/floor.py"))
    runs = pairs(ours, floor, count)
    mine, theirs, times = ratio([(a.cpu, b.cpu) for a, b in runs])
    return [Figure("compile, CPU s, to the floor", "at most 2x", mine, theirs, times, times <= 2)]


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure both comparisons."""
    return [*against_the_sdk(count, scratch), *against_the_floor(count)]


if __name__ == "__main__":
    main("compile_vs_sdk", 7, figures)
