"""`make everything` runs all of its parts and sums up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tools import everything, moto_suite
from tools.everything import ROOT, Outcome, Part

_TABLE = """\
## moto's own tests
15 of 22 pass.
| file | passed | failed | cause |
|---|---|---|---|
| models | 10 | 0 | |
| training | 5 | 7 | enum texts (5); moto's (2) |

## Isolation
| other | 1 | 2 | |
"""
_ONE_LONG_PART = """\
import sys
from tools import everything
part = everything.Part("long", ("sh", "-c", "exec 3> {pipe}; echo started >&3; sleep 60"))
everything.parts = lambda: (part,)
sys.exit(everything.main([]))
"""
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
    assert everything.main([]) == 1
    summary = capfd.readouterr().out.partition("=== summary\n")[2].splitlines()
    assert [line.split()[0] for line in summary] == ["bad", "good"]
    assert summary[0].endswith("failed with 3")
    assert summary[1].endswith("ok")
    monkeypatch.setattr(everything, "parts", lambda: (good,))
    assert everything.main([]) == 0


def test_a_part_that_does_not_end_is_killed_with_what_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The parts after it run, and the exit code says that one did not end."""
    os.mkfifo(tmp_path / "left")
    reading = os.open(tmp_path / "left", os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(reading, True)
    outlives = f"sh -c 'exec 3> {tmp_path}/left; sleep 60; echo it lived on >&3' & wait"
    stuck = Part("stuck", ("sh", "-c", outlives), 0.01)
    good = Part("good", (sys.executable, "-c", "print('hello')"))
    monkeypatch.setattr(everything, "parts", lambda: (stuck, good))
    assert everything.main([]) == 1
    summary = capfd.readouterr().out.partition("=== summary\n")[2].splitlines()
    assert summary[0].endswith("killed after 0.01 minutes")
    assert summary[1].endswith("ok")
    assert os.read(reading, 100) == b"", "the pipe is closed since nobody holds it any more"
    os.close(reading)


def test_a_run_that_is_terminated_leaves_no_part_behind(tmp_path: Path) -> None:
    """SIGTERM, as a build server sends it, ends the part as Ctrl-C does."""
    os.mkfifo(tmp_path / "left")
    script = _ONE_LONG_PART.format(pipe=tmp_path / "left")
    whole = subprocess.Popen((sys.executable, "-c", script), cwd=ROOT, stderr=subprocess.DEVNULL)
    with (tmp_path / "left").open("rb") as left:
        assert left.readline() == b"started\n"
        whole.send_signal(signal.SIGTERM)
        assert whole.wait(30) != 0
        assert left.read() == b"", "the pipe is closed since nobody holds it any more"


def test_the_recorded_page_names_date_commit_and_every_result() -> None:
    """It is a page of the documentation."""
    parts = Part("fine", ("true",)), Part("bad", ("false",))
    outcomes = [Outcome(part, code, 60.0) for part, code in zip(parts, (0, 1), strict=True)]
    page = everything.page(outcomes, "abc1234")
    assert re.search(r"20\d\d-\d\d-\d\d, commit abc1234, .*: 2 minutes", page)
    assert "| fine | 60 s | ok |" in page
    assert "| bad | 60 s | failed with 1 |" in page


def test_what_passes_of_motos_tests_is_what_the_documentation_says() -> None:
    """The table is read; other tables are not. Its reasons add up to the tests that fail."""
    assert moto_suite.expected(_TABLE) == {"models": (10, 0), "training": (5, 7)}
    page = moto_suite.TABLE.read_text("utf-8")
    said = moto_suite.expected(page)
    assert len(said) >= 8
    assert moto_suite.rewritten(page, said) == page
    assert moto_suite.unexplained(page) == []


def test_what_was_seen_of_motos_tests_is_written_into_the_table_and_its_sum() -> None:
    """And reasons that do not add up any more are told."""
    seen = {"models": moto_suite.Seen(9, 1), "training": moto_suite.Seen(5, 7)}
    page = moto_suite.rewritten(_TABLE, seen)
    assert moto_suite.expected(page) == seen
    assert "14 of 22 pass" in page
    assert page.count("| models | 1 | 2 |") == _TABLE.count("| models | 1 | 2 |")
    assert moto_suite.unexplained(page) == ["models"]
