"""Run what is too long for every push, and print a summary: `make everything`.

    python -m tools.everything [--part WORDS] [--record]

All parts run, whatever the others do; it exits 1 when one of them failed. A part that does not end
within its minutes is killed with all that it started. Benchmarks run in their short mode, one pair
each: that shows that they work, and their figures are not judged. `--record` writes the summary to
docs/everything.md.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tools.children import Children, ended_with_us

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "docs" / "everything.md"


@dataclass(frozen=True, slots=True)
class Part:
    """One command.

    Args:
        name: what the summary calls it.
        words: the command.
        minutes: after which it is killed.
    """

    name: str
    words: tuple[str, ...]
    minutes: float = 10


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a part ended.

    Args:
        part: which.
        exit_code: of its command; None where it was killed.
        seconds: it ran.
    """

    part: Part
    exit_code: int | None
    seconds: float

    @property
    def verdict(self) -> str:
        """The result in words."""
        if self.exit_code is None:
            return f"killed after {self.part.minutes:g} minutes"
        return "ok" if self.exit_code == 0 else f"failed with {self.exit_code}"

    def line(self) -> str:
        """Return the part's line of the summary."""
        return f"{self.part.name:<32}{self.seconds:7.0f}s  {self.verdict}"


def benchmarks() -> list[str]:
    """Return the modules of `benchmarks` that are run as a benchmark."""
    modules = (ROOT / "benchmarks").glob("*.py")
    return sorted(file.stem for file in modules if f'main("{file.stem}"' in file.read_text("utf-8"))


def parts() -> tuple[Part, ...]:
    """Return all parts; what a later feature needs is added here."""
    python = sys.executable
    return (
        Part("checks and all tests", ("make", "test"), 50),
        Part("moto's tests", (python, "tools/moto_suite.py"), 15),
        Part("examples", (python, "-m", "tools.examples"), 20),
        Part("other Pythons", (python, "-m", "tools.pythons")),
        *(
            Part(f"benchmark {name}", (python, "-m", f"benchmarks.{name}", "--short"))
            for name in benchmarks()
        ),
    )


def run(part: Part, children: Children) -> Outcome:
    """Run a part; its output goes to the terminal. Tests read from a variable that it is all."""
    began = time.monotonic()
    environment = {**os.environ, "PIPELINES_EVERYTHING": "1"}
    process = children.start(part.words, cwd=ROOT, env=environment)
    try:
        exit_code: int | None = process.wait(part.minutes * 60)
    except subprocess.TimeoutExpired:
        exit_code = None
    with contextlib.suppress(ProcessLookupError):  # of those that it has left behind
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return Outcome(part, exit_code, time.monotonic() - began)


def run_all(chosen: list[Part]) -> Iterator[Outcome]:
    """Run parts one after the other, each under a line that says how far it is."""
    began = time.monotonic()
    for number, part in enumerate(chosen, 1):
        so_far = f"{number} of {len(chosen)}, after {(time.monotonic() - began) / 60:.0f} minutes"
        print(f"\n=== {so_far}: {part.name}: {' '.join(part.words)}", flush=True)
        with ended_with_us() as children:
            outcome = run(part, children)
        print(f"=== {outcome.line()}", flush=True)
        if children.ended_by is not None:
            sys.exit(128 + children.ended_by)
        yield outcome


def page(outcomes: list[Outcome], commit: str) -> str:
    """Return the page of a run."""
    date = time.strftime("%Y-%m-%d", time.gmtime())
    machine = f"{os.cpu_count()} cores, {platform.system()}, Python {platform.python_version()}"
    minutes = sum(one.seconds for one in outcomes) / 60
    rows = (f"| {o.part.name} | {o.seconds:.0f} s | {o.verdict} |" for o in outcomes)
    return "\n".join(
        (
            "# The last `make everything`",
            "",
            f"{date}, commit {commit}, {machine}: {minutes:.0f} minutes.",
            "Written by `make everything RECORD=1`. Benchmarks show that they work, by one pair",
            "of each.",
            "",
            "| part | took | result |",
            "|---|---|---|",
            *rows,
            "",
        )
    )


def _commit() -> str:
    """Return the commit that is checked out; one with changes is said to have them."""
    words = ("git", "describe", "--always", "--dirty", "--exclude=*")
    ended = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return ended.stdout.strip() or "unknown"


def _options(words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tools.everything")
    parser.add_argument("--part", default="", help="only parts whose name has these words")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.relative_to(ROOT)}")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Run everything, print the summary and record it."""
    options = _options(words)
    commit = _commit()
    outcomes = list(run_all([part for part in parts() if options.part in part.name]))
    print("\n=== summary", *(outcome.line() for outcome in outcomes), sep="\n")
    if options.record:
        RECORD.write_text(page(outcomes, commit), "utf-8")
    return int(not outcomes or any(one.exit_code != 0 for one in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
