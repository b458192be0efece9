"""Run what is too long for every push, and print a summary: `make everything`.

    python tools/everything.py [--part WORDS] [--record]

All parts run, whatever the others do; it exits 1 when one of them failed. Benchmarks run in their
short mode, one pair each: that shows that they work, and their figures are not judged. `--record`
writes the summary to docs/everything.md.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
RECORD = ROOT / "docs" / "everything.md"


@dataclass(frozen=True, slots=True)
class Part:
    """One command, and what the summary calls it."""

    name: str
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a part ended."""

    part: Part
    exit_code: int
    seconds: float

    @property
    def verdict(self) -> str:
        """The result in words."""
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
        Part("checks and all tests", ("make", "test")),
        Part("moto's tests", (python, "tools/moto_suite.py")),
        *(
            Part(f"benchmark {name}", (python, "-m", f"benchmarks.{name}", "--short"))
            for name in benchmarks()
        ),
    )


def run(part: Part) -> Outcome:
    """Run a part; its output goes to the terminal. Tests read from a variable that it is all."""
    print(f"\n=== {part.name}: {' '.join(part.words)}", flush=True)
    began = time.monotonic()
    environment = {**os.environ, "PIPELINES_EVERYTHING": "1"}
    ended = subprocess.run(part.words, cwd=ROOT, env=environment, check=False)
    return Outcome(part, ended.returncode, time.monotonic() - began)


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
    parser = argparse.ArgumentParser(prog="python tools/everything.py")
    parser.add_argument("--part", default="", help="only parts whose name has these words")
    parser.add_argument("--record", action="store_true", help=f"write {RECORD.relative_to(ROOT)}")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Run everything, print the summary and record it."""
    options = _options(words)
    commit = _commit()
    outcomes = [run(part) for part in parts() if options.part in part.name]
    print("\n=== summary", *(outcome.line() for outcome in outcomes), sep="\n")
    if options.record:
        RECORD.write_text(page(outcomes, commit), "utf-8")
    return int(not outcomes or any(outcome.exit_code for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
