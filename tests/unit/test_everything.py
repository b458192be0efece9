"""`make everything` runs all of its parts and sums up."""

from __future__ import annotations

import re
import sys

import pytest

from tools import everything
from tools.everything import ROOT, Part

_USAGE = re.compile(r"python -m benchmarks\.(\w+) \[")


def test_every_benchmark_is_a_part() -> None:
    """Each script of `benchmarks` that says how it is run, and nothing else."""
    texts = [file.read_text("utf-8") for file in (ROOT / "benchmarks").glob("*.py")]
    scripts = {name for text in texts for name in _USAGE.findall(text)}
    assert len(scripts) >= 8
    assert {f"benchmark {name}" for name in scripts} == {
        part.name for part in everything.parts() if part.name.startswith("benchmark ")
    }


def test_a_part_that_fails_stops_no_other(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The summary has a line for each, and the exit code says that one failed."""
    bad = Part("bad", (sys.executable, "-c", "raise SystemExit(3)"))
    good = Part("good", (sys.executable, "-c", "print('hello')"))
    monkeypatch.setattr(everything, "parts", lambda: (bad, good))
    assert everything.main() == 1
    summary = capfd.readouterr().out.partition("=== summary\n")[2].splitlines()
    assert [line.split()[0] for line in summary] == ["bad", "good"]
    assert summary[0].endswith("failed with 3")
    assert summary[1].endswith("ok")
    monkeypatch.setattr(everything, "parts", lambda: (good,))
    assert everything.main() == 0
