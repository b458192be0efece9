"""Run what is too long for every push, and print a summary: `make everything`.

All parts run, whatever the others do; it exits 1 when one of them failed. Benchmarks run in their
short mode, one pair each: that shows that they work, and their figures are not judged.
"""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


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

    def line(self) -> str:
        """Return the part's line of the summary."""
        verdict = "ok" if self.exit_code == 0 else f"failed with {self.exit_code}"
        return f"{self.part.name:<32}{self.seconds:7.0f}s  {verdict}"


def benchmarks() -> list[str]:
    """Return the modules of `benchmarks` that are run as a benchmark."""
    modules = (ROOT / "benchmarks").glob("*.py")
    return sorted(file.stem for file in modules if f'main("{file.stem}"' in file.read_text("utf-8"))


def parts() -> tuple[Part, ...]:
    """Return all parts; what a later feature needs is added here."""
    python = sys.executable
    return (
        Part("checks and all tests", ("make", "test")),
        Part("stock clients", (python, "-m", "pytest", "-q", "-rs", "tests/clients")),
        *(
            Part(f"benchmark {name}", (python, "-m", f"benchmarks.{name}", "--short"))
            for name in benchmarks()
        ),
    )


def run(part: Part) -> Outcome:
    """Run a part; its output goes to the terminal."""
    print(f"\n=== {part.name}: {' '.join(part.words)}", flush=True)
    began = time.monotonic()
    ended = subprocess.run(part.words, cwd=ROOT, check=False)
    return Outcome(part, ended.returncode, time.monotonic() - began)


def main() -> int:
    """Run everything and print the summary."""
    outcomes = [run(part) for part in parts()]
    print("\n=== summary", *(outcome.line() for outcome in outcomes), sep="\n")
    return int(any(outcome.exit_code for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main())
