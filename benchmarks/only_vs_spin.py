"""An edited step, run on the results of an earlier run: `run --only` against Metaflow's `spin`.

    python -m benchmarks.only_vs_spin [PAIRS]

Both have run the whole chain once. Before every timing the step's code is edited: another bundle,
other bytecode. The script alone, in an interpreter of its own, is what nobody can be faster than.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.noop_steps import NOOP, metaflow
from benchmarks.pairs import Command, Figure, main, pipelines, ratio, run, tool
from benchmarks.projects import steps_project

_STEPS = 4
_OURS, _THEIRS = "step-1", "s1"
_MOST_OVER = 0.4


def ours(folder: Path) -> Command:
    """Write our chain and run it once."""
    steps_project(folder, _STEPS, NOOP, chained=True)
    run(pipelines("run", folder=folder, python=tool()))
    return pipelines("run", "--only", _OURS, folder=folder, python=tool())


def theirs(folder: Path) -> Command:
    """Write Metaflow's chain and run it once."""
    whole = metaflow(folder, _STEPS)
    run(whole)
    return Command("Metaflow spin", (*whole.words[:-1], "spin", _THEIRS), folder, whole.environment)


def script(folder: Path) -> Command:
    """Return the step's script without anything around it."""
    out = folder / "out"
    out.mkdir()
    words = (str(tool()), str(folder / "step.py"))
    return Command("the script", words, folder, {"SM_OUT_RESULT": str(out)})


def figures(count: int, scratch: Path) -> list[Figure]:
    """Measure wall seconds from an edit to the result, in turn."""
    commands = ours(scratch / "ours"), theirs(scratch / "theirs"), script(scratch / "ours")
    tuple(_seconds(commands, scratch, 1))  # the warm-up
    values = list(_seconds(commands, scratch, count))
    mine, spin, times = ratio([(a, b) for a, b, _ in values])
    over, alone, _ = ratio([(a - c, c) for a, _, c in values])
    return [
        Figure(
            "an edited step, wall s, to Metaflow's spin",
            "faster",
            mine,
            spin,
            times,
            times < 1,
        ),
        Figure(
            "an edited step, wall s over its script, to the script alone",
            f"at most {_MOST_OVER} s over",
            over,
            alone,
            over / alone,
            over <= _MOST_OVER,
        ),
    ]


def _seconds(
    commands: tuple[Command, Command, Command], scratch: Path, count: int
) -> Iterator[tuple[float, float, float]]:
    for _ in range(count):
        for code in (scratch / "ours" / "step.py", scratch / "theirs" / "flow.py"):
            code.write_text(f"{code.read_text()}# edited\n")
        mine, spin, alone = (run(command).wall for command in commands)
        yield mine, spin, alone


if __name__ == "__main__":
    main("only_vs_spin", 5, figures)
